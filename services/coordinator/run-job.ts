// Runs a prepared job: connects the adapters to each other and to the coordinator's loop, and closes everything again
// whatever happens.

import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { systemClock } from '@thaw/common/clock/clock.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import { createRegistry, startMetricsServer } from '@thaw/common/metrics/metrics-server.ts';
import type { JobsHandlers } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import { createBlobService } from './adapters/blob-service.ts';
import { type BlobStore, diskBlobStore } from './adapters/blob-store.ts';
import { connectBroker, watchBroker } from './adapters/broker.ts';
import { type OpenEventStream, openEventStream } from './adapters/event-stream.ts';
import { startGrpcServer } from './adapters/grpc-server.ts';
import { openJobKey } from './adapters/job-key.ts';
import { createJobsService } from './adapters/jobs-service.ts';
import { keptStages } from './adapters/kept-stages/kept-stages.ts';
import { createSessionService, type SessionService } from './adapters/session-service.ts';
import { findSnapshot, snapshotStore } from './adapters/snapshot-store.ts';
import { orFullDisk } from './adapters/storage-failure.ts';
import { continueLog } from './core/event-log.ts';
import { initialState } from './core/initial-state.ts';
import type { JobPlan } from './core/job-plan.ts';
import type { JobState } from './core/state.ts';
import { resultExporter } from './export/export-result.ts';
import { withdrawResult } from './export/output-folder.ts';
import { resultFiles } from './export/result-files.ts';
import { dialled, removeRunAddress, writeRunAddress } from './export/run-address.ts';
import { blobMetrics, coordinatorMetrics } from './metrics.ts';
import { checkSplits } from './near-duplicates/split-check.ts';
import type { PreparedJob } from './prepare/prepared-job.ts';
import { storeArtifacts } from './prepare/store-artifacts.ts';
import { Coordinator, type CoordinatorPorts, type Opening } from './runtime/coordinator.ts';
import type { TakenUp } from './runtime/ports.ts';
import { createSeenSamples } from './runtime/seen-samples.ts';

export interface RunOptions {
  /** The claimed output folder. */
  readonly out: string;
  readonly natsUrl: string;
  /** A launcher has started the broker for this run alone, in the output folder. */
  readonly launched: boolean;
  /** Holds stages that were trained before. */
  readonly cacheDirectory: string;
  /** They take at most this much of it; 0 uses none. */
  readonly stageBytes: number;
  /** Trains every stage, whatever was trained before. */
  readonly fresh: boolean;
  /** host:port that gRPC listens on; port 0 takes a free one. */
  readonly listen: string;
  readonly uid: string;
  /** 16 hex digits, new in every run. */
  readonly runToken: string;
  /** 16 hex digits, new in every process. */
  readonly reign: string;
  /** Takes up the run that the output folder and its broker hold. */
  readonly resume: boolean;
  readonly log: Logger;
  /** Everything listens. */
  readonly ready: (announcement: Announcement) => void;
  /** Gets the functions that end the job, before anything can happen to it. */
  readonly started: (ways: WaysToEnd) => void;
}

export interface WaysToEnd {
  /** In good order: what was trained is stored first. */
  stop(reason: string): void;
  cancel(reason: string): void;
}

export interface Announcement {
  readonly grpcPort: number;
  readonly metricsPort: number;
  readonly uid: string;
}

/** How long what was trained may take to be stored once the job is to end. */
const stopMilliseconds = 15_000;
/** How long the broker gets to say goodbye. */
const closingMilliseconds = 1000;

/** Resolves with the job's last state. Throws BrokerLost or StorageFailed before it starts, and TermSuperseded. */
export async function runJob(prepared: PreparedJob, options: RunOptions): Promise<JobState> {
  const blobs = diskBlobStore(resultFiles(options.out).blobs);
  const plan = await storeArtifacts(prepared, blobs);
  const broker = await connectBroker(options.natsUrl, 'thaw-coordinator');
  try {
    const { uid, runToken, reign, resume, launched } = options;
    const monotonic = (): number => systemClock.monotonic();
    const store = await openJobKey(broker, { uid, monotonic, isAlone: launched });
    const stored = await store.take(initialState(plan, { uid, runToken, reign, term: 1 }));
    const stream = await openEventStream(broker, uid, resultFiles(options.out).events);
    if (stored.eventSequence === 0 && stream.written > 0) throw stateLost(options.out, stream.written);
    const taken = continueLog(stored, stream.written);
    // A run that never came to its first event has nothing to take up: it begins, with what is wanted of it now.
    const isBegun = resume && taken.eventSequence > 0;
    const opening = isBegun ? await resumed(taken, { plan, runToken, blobs }) : started;
    const held = isBegun ? taken : { ...taken, plan, runToken };
    return await coordinate({ prepared, options, blobs, broker, store, stream, taken: held, opening });
  } finally {
    await Promise.race([broker.close(), delay(closingMilliseconds, undefined, { ref: false })]);
  }
}

const started: Opening = { kind: 'started' };

function stateLost(out: string, written: number): ThawError {
  const { events, broker } = resultFiles(out);
  const found = `${events} goes up to event ${written}, but the broker's files in ${broker} hold no state of the job`;
  return new ThawError('OutputConflict', `${found}; it cannot be taken up, --overwrite begins anew`);
}

async function resumed(
  taken: JobState,
  { plan, runToken, blobs }: { readonly plan: JobPlan; readonly runToken: string; readonly blobs: BlobStore },
): Promise<Opening> {
  const found = await takeUp({ plan, restorePoints: taken.restorePoints }, blobs);
  // Some of them were met after the snapshot; they will be met again.
  const met = found.snapshot ? [...found.badSamples, ...taken.badSamples.listed] : [];
  const badSamples = createSeenSamples(met).all();
  return { kind: 'resumed', plan, runToken, isSameReign: false, ...found, badSamples };
}

/** Whatever the store holds beside what the job needs is left from before. */
async function takeUp(
  { plan, restorePoints: before }: Pick<JobState, 'plan' | 'restorePoints'>,
  blobs: BlobStore,
): Promise<TakenUp> {
  const found = await findSnapshot(blobs, before);
  const { job, graph, oldGraph, manifest, weights } = plan.artifacts;
  const points = found.restorePoints.flatMap(({ digest, states }) => [digest, ...states]);
  await blobs.removeOthers(new Set([job, graph, manifest, ...(oldGraph ? [oldGraph] : []), ...weights, ...points]));
  return found;
}

interface Parts {
  readonly prepared: PreparedJob;
  readonly options: RunOptions;
  readonly blobs: BlobStore;
  readonly broker: NatsConnection;
  readonly store: Awaited<ReturnType<typeof openJobKey>>;
  readonly stream: OpenEventStream;
  readonly taken: JobState;
  readonly opening: Opening;
}

async function coordinate({
  prepared,
  options,
  blobs,
  broker,
  store,
  stream,
  taken,
  opening,
}: Parts): Promise<JobState> {
  const { out, natsUrl, log, cacheDirectory, stageBytes, fresh } = options;
  const wall = (): number => systemClock.wall();
  const sessions = createSessionService({
    message: (from, message) => coordinator.message(from, message),
    closed: (from) => coordinator.closed(from),
  });
  const stop = new AbortController();
  const splitCheck = checkSplits({ ...prepared, signal: stop.signal });
  const ports: CoordinatorPorts = {
    clock: systemClock,
    log,
    store: { save: (state) => orFullDisk(out, () => store.save(state)) },
    stream: { append: (event) => orFullDisk(out, () => stream.append(event)), project: stream.project },
    sessions,
    natsUrl,
    exporter: resultExporter({ out, prepared, blobs, clock: systemClock, splitCheck }),
    withdraw: () => withdrawResult(out),
    stages: keptStages({ cacheDirectory, bytesMax: stageBytes, fresh, blobs, log, wall }),
    snapshots: snapshotStore(blobs),
    discard: (digest) => blobs.remover(digest),
    takeUp: (state) => takeUp(state, blobs),
  };
  const coordinator: Coordinator = new Coordinator(taken, ports, opening);
  void watchBroker(broker, (message) => coordinator.post({ kind: 'broken', code: 'BrokerLost', message }));
  const cancel = (reason: string): void => coordinator.post({ kind: 'cancel', reason });
  const stopOrCancel = (reason: string): void => {
    coordinator.stop(reason);
    setTimeout(() => cancel(reason), stopMilliseconds).unref();
  };
  options.started({ cancel, stop: stopOrCancel });
  const jobs = createJobsService({
    status: () => coordinator.status(),
    events: (from) => coordinator.eventLines(from),
    ended: () => coordinator.ended,
    cancel: stopOrCancel,
    scale: (replicas) => coordinator.scale(replicas),
    exited: (exit) => coordinator.post({ kind: 'exited', ...exit }),
  });
  return serve(coordinator, { options, sessions, blobs, jobs }).finally(() => stop.abort());
}

interface Services {
  readonly options: RunOptions;
  readonly sessions: SessionService;
  readonly blobs: BlobStore;
  readonly jobs: JobsHandlers;
}

async function serve(coordinator: Coordinator, { options, sessions, blobs, jobs }: Services): Promise<JobState> {
  const { out, uid, listen, log, ready } = options;
  const registry = createRegistry();
  coordinatorMetrics(registry, coordinator);
  const traffic = {
    ...blobMetrics(registry),
    failed: ({ message }: Error) => coordinator.post({ kind: 'broken', code: 'StorageFailed', message }),
  };
  const grpc = await startGrpcServer(listen, {
    session: sessions.service,
    blobs: createBlobService(blobs, traffic),
    jobs,
    healthy: () => coordinator.unhealthy === null,
  });
  const metrics = await startMetricsServer({ registry, unhealthy: () => coordinator.unhealthy });
  try {
    const announcement = { grpcPort: grpc.port, metricsPort: metrics.port, uid };
    await writeRunAddress(out, { address: dialled(listen, grpc.port), pid: process.pid, uid });
    const running = coordinator.run();
    log.info(announcement, 'ready');
    ready(announcement);
    return await running;
  } finally {
    await removeRunAddress(out, process.pid).catch((error: unknown) =>
      log.warn({ err: error }, 'where it listened stays in the output folder'),
    );
    await grpc.close();
    await metrics.close();
  }
}
