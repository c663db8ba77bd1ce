// The closed list of error codes. A code is a promise to users and dashboards: it is never renamed, docs/errors.md
// lists every one (tested both ways), and `retryable` tells a supervisor whether trying again can help.

export const errorCatalogue = {
  JobInvalid: { retryable: false, summary: 'The job file breaks a rule of the schema or of its cross-field checks.' },
  NotSupported: { retryable: false, summary: 'The job asks for something that is not built yet.' },
  SourceNotFound: { retryable: false, summary: 'A model or data source does not exist or cannot be read.' },
  ModelInvalid: {
    retryable: false,
    summary: 'A model file is truncated, malformed, or has a layer that Thaw does not know.',
  },
  HeadMismatch: { retryable: false, summary: 'The head does not fit the tensor at the cut.' },
  DataInvalid: {
    retryable: false,
    summary: 'The data set is empty, has one class only, or its split leaves a set empty.',
  },
  TooManyBadSamples: { retryable: false, summary: 'More samples were unreadable than data.maxBadSamples allows.' },
  OutputConflict: { retryable: false, summary: 'The output folder holds another job.' },
  NotRunning: { retryable: false, summary: 'No run is under way in the output folder.' },
  StorageFailed: { retryable: true, summary: 'A write failed: no permission, disk full, or a torn file.' },
  BlobCorrupt: { retryable: true, summary: 'A blob does not have the digest it is stored under.' },
  BlobNotFound: { retryable: true, summary: 'A blob is not in the store.' },
  VersionUnknown: {
    retryable: false,
    summary: 'A file, frame or message carries a version that this Thaw does not know.',
  },
  EngineUnavailable: {
    retryable: false,
    summary: 'The compute engine, one of its kernels, or the wanted GPU is missing.',
  },
  EngineClassMismatch: { retryable: false, summary: "A trainer's engine computes other bits than the job's." },
  NothingLeft: {
    retryable: false,
    summary: 'Every stage was rolled back, because each cost more of the old task than retention.maxDrop allows.',
  },
  NonFinite: { retryable: false, summary: 'A gradient, loss or weight became NaN or infinite.' },
  FrozenChanged: { retryable: false, summary: 'A frozen tensor differs from the source: a defect, or broken memory.' },
  OutOfMemory: { retryable: true, summary: 'A process would go over, or went over, its memory budget.' },
  TrainerLost: { retryable: true, summary: 'A trainer ended or fell silent.' },
  CoordinatorLost: { retryable: true, summary: 'The coordinator ended or cannot be reached.' },
  BrokerLost: { retryable: true, summary: 'nats-server ended, cannot be reached, or refused a permission.' },
  TermSuperseded: { retryable: false, summary: 'Another coordinator took over the job.' },
  StateDiverged: { retryable: false, summary: 'Members report different state digests for one step.' },
  ProtocolViolation: { retryable: false, summary: 'A peer sent something that the protocol does not allow.' },
  Cancelled: { retryable: false, summary: 'The job was cancelled by its user.' },
  SetupMissing: { retryable: false, summary: 'A part that set-up installs is missing.' },
  Internal: { retryable: false, summary: 'A defect in Thaw.' },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

/** From a trainer they say that it has lost touch, or woke with an old directive: nothing that would come again. */
export const lostTouchCodes: readonly ErrorCode[] = ['CoordinatorLost', 'TermSuperseded', 'BlobNotFound'];

/** A code that another process sent as text. What is not in the list counts as a defect. */
export function errorCodeOf(text: string): ErrorCode {
  return Object.hasOwn(errorCatalogue, text) ? (text as ErrorCode) : 'Internal';
}
