// The file of one kept stage: JSON with a version and a digest over the rest, checked field by field on reading. A field
// that joins the records joins the schema too (it would not compile otherwise), and older files are then passed over.

import { type Digest, digestOfJson } from '@thaw/common/content/digest.ts';
import { setNames } from '@thaw/common/data/manifest.ts';
import { z } from 'zod';
import type { StageResult } from '../../core/kept-stage.ts';
import type {
  EpochRecord,
  Metrics,
  RankedBlock,
  Ranking,
  Retention,
  RolledBack,
  StageRecord,
  StoredState,
} from '../../core/state.ts';

const stageFileVersion = 1;

export interface StageFile {
  readonly result: StageResult;
  /** All that the job had met at the stage's end. */
  readonly badSamples: readonly { readonly split: string; readonly id: string; readonly reason: string }[];
}

/** Optional ones too. */
type Fields<T> = Record<keyof T, z.ZodType>;

const digest = z.custom<Digest>((value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value));

const stored = z.strictObject({
  digest,
  bytes: z.number(),
  epoch: z.number(),
} satisfies Fields<StoredState>) satisfies z.ZodType<StoredState>;

const metrics = z.strictObject({
  loss: z.number(),
  accuracy: z.number(),
  macroF1: z.number(),
  auc: z.number(),
  top5: z.exactOptional(z.number()),
  count: z.number(),
} satisfies Fields<Metrics>) satisfies z.ZodType<Metrics>;

const retention = z.strictObject({
  accuracy: z.number(),
  loss: z.number(),
  drop: z.number(),
} satisfies Fields<Retention>) satisfies z.ZodType<Retention>;

const rolledBack = z.strictObject({
  drop: z.number(),
  maxDrop: z.number(),
  toEpoch: z.number().nullable(),
} satisfies Fields<RolledBack>) satisfies z.ZodType<RolledBack>;

const epoch = z.strictObject({
  epoch: z.number(),
  steps: z.number(),
  loss: z.number(),
  penalty: z.number(),
  accuracy: z.number(),
  learningRate: z.number(),
  stepsSkipped: z.number(),
  trainSeconds: z.number(),
  seconds: z.strictObject({
    data: z.number(),
    features: z.number(),
    compute: z.number(),
    exchange: z.number(),
    apply: z.number(),
  }),
  reducedBytes: z.number(),
  stateDigest: z.string(),
  validation: metrics.nullable(),
  retention: z.exactOptional(retention),
} satisfies Fields<EpochRecord>) satisfies z.ZodType<EpochRecord>;

const ranking = z.strictObject({
  samples: z.number(),
  blocks: z.array(
    z.strictObject({
      block: z.string(),
      gradient: z.number(),
      weights: z.number(),
      ratio: z.number(),
    } satisfies Fields<RankedBlock>) satisfies z.ZodType<RankedBlock>,
  ),
} satisfies Fields<Ranking>) satisfies z.ZodType<Ranking>;

const fields = z.strictObject({
  stage: z.number(),
  key: digest,
  reused: z.strictObject({ job: z.string(), uid: z.string() }).nullable(),
  startedAt: z.number(),
  endedAt: z.number(),
  ended: z.string(),
  firstStep: z.number(),
  steps: z.number(),
  epochsDone: z.number(),
  epochs: z.array(epoch),
  plateau: z.strictObject({ best: z.number(), stale: z.number() }).nullable(),
  entry: z.exactOptional(stored),
  rolledBack: z.exactOptional(rolledBack),
  ranking: z.exactOptional(ranking),
  best: z.strictObject({ epoch: z.number(), value: z.number(), stored: stored.nullable() }),
} satisfies Fields<StageRecord>) satisfies z.ZodType<StageRecord>;

/** Only a stage that was undone has no best state. */
const record = fields.refine(({ best, rolledBack: undone }) => (best.stored === null) === (undone !== undefined));

const content = z.strictObject({
  result: z.strictObject({
    key: digest,
    job: z.strictObject({ name: z.string(), uid: z.string() }),
    stageName: z.string(),
    record,
    held: stored,
  } satisfies Fields<StageResult>) satisfies z.ZodType<StageResult>,
  badSamples: z.array(z.strictObject({ split: z.enum(setNames), id: z.string(), reason: z.string() })),
});

export function encodeStageFile(file: StageFile): string {
  return `${JSON.stringify({ version: stageFileVersion, digest: digestOfJson(file), ...file })}\n`;
}

export type ReadStage =
  | { readonly kind: 'read'; readonly file: StageFile }
  /** Of a Thaw that this one does not know: left alone. */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'corrupt'; readonly reason: string };

/** `key`: what the file is named after. */
export function decodeStageFile(text: string, key: string): ReadStage {
  let written: Record<string, unknown>;
  try {
    written = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { kind: 'corrupt', reason: 'it is no JSON' };
  }
  const { version, digest: claimed, ...rest } = written;
  if (version !== stageFileVersion) {
    return { kind: 'unknown', reason: `found version ${version}; this Thaw knows version ${stageFileVersion}` };
  }
  const found = digestOfJson(rest);
  if (found !== claimed) return { kind: 'corrupt', reason: `its content has digest ${found}; it says ${claimed}` };
  const parsed = content.safeParse(rest);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'no reason' };
    return { kind: 'unknown', reason: `another Thaw's fields: ${path.join('.')}: ${message}` };
  }
  if (parsed.data.result.key !== key) {
    return { kind: 'corrupt', reason: `it holds ${parsed.data.result.key}; its name says ${key}` };
  }
  return { kind: 'read', file: parsed.data };
}
