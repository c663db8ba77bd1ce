// One epoch of one stage: every step computes the gradients of the hosted shards, sums them with everybody's, and
// applies the same update that everybody applies. What a step computes depends on the job, the step and the shard,
// never on who computes it.

import { epochOrder, microBatchRows, viewOf } from '@thaw/common/data/epoch-order.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { learningRateAt } from '@thaw/common/schedule/learning-rate.ts';
import type { Train__Output } from '@thaw/proto/gen/thaw/v1/Train.ts';
import type { SampleRef } from '../cache/feature-store.ts';
import type { Collective, Generation, ShardContribution, StepResult } from '../collective/collective.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import { fixedPointScale } from './evaluation.ts';
import type { JobContext } from './job-context.ts';
import type { StageRuntime } from './stage-runtime.ts';
import { type StepClock, stepClock } from './step-clock.ts';
import type { Applied } from './update-rule.ts';

export interface EpochWork {
  readonly directive: Train__Output;
  readonly revision: number;
  readonly generation: Generation;
  /** This member's index in the generation. */
  readonly self: number;
  readonly context: JobContext;
  readonly runtime: StageRuntime;
  readonly collective: Collective;
  readonly link: CommsLink;
}

/** Sums over the epoch's steps, equal on every member; losses in units of 2^-24. */
export interface EpochSums {
  lossSum: number;
  penaltySum: number;
  count: number;
  correct: number;
  stepsSkipped: number;
  reducedBytes: number;
  learningRate: number;
}

export interface EpochResult extends EpochSums {
  readonly seconds: StepClock['total'];
}

export async function trainEpoch(work: EpochWork): Promise<EpochResult> {
  const { directive, runtime, link, collective } = work;
  const shards = hostedShards(work);
  const refsOf = shards.map((shard) => shardRefs(work, shard));
  const clock = stepClock(() => performance.now());
  const sums = emptySums();
  await fillFeatures(work, refsOf, clock);
  link.board.enter('compute');
  for (let step = directive.firstStep; step <= directive.lastStep; step++) {
    clock.enter('features');
    const batches = refsOf.map((refs) => refs(step - directive.firstStep));
    await runtime.features.prepare(batches.flat());
    clock.enter('compute');
    const contributions: ShardContribution[] = [];
    for (const [i, shard] of shards.entries()) {
      link.check(work.revision);
      contributions.push(computeGradient(work, step, shard, batches[i] as readonly SampleRef[]));
    }
    clock.enter('exchange');
    link.board.enter('exchange');
    const exchange = collective.exchange({ step, acknowledgedPlan: 0, shards: contributions });
    const result = await link.interruptible(exchange);
    clock.enter('apply');
    link.board.enter('apply');
    const applied = applyStep(work, result, sums);
    observe(work, { result, applied, contributions, seconds: clock.lap() });
  }
  return { ...sums, seconds: clock.total };
}

function hostedShards({ generation, self }: EpochWork): number[] {
  return [...generation.shardOwners.keys()].filter((shard) => generation.shardOwners[shard] === self);
}

/** Refs of one shard's micro-batch by step within the epoch; without a step, of the whole shard in this epoch's order. */
function shardRefs({ context, directive, runtime }: EpochWork, shard: number) {
  const { job, shards } = context;
  const rows = shards[shard] as Uint32Array;
  const order = epochOrder({ seed: job.train.seed, epoch: directive.epoch, shard, rows });
  const view = viewOf(directive.epoch, job.data.views);
  return (stepInEpoch?: number): SampleRef[] => {
    const { stepsPerEpoch } = runtime;
    const taken = stepInEpoch === undefined ? order : microBatchRows({ order, stepInEpoch, stepsPerEpoch });
    return Array.from(taken, (index) => ({ set: 'train', index, view }));
  };
}

/** Runs the frozen prefix over what is missing of this epoch's samples, as a phase of its own, up to the budget. */
async function fillFeatures(work: EpochWork, refsOf: ReturnType<typeof shardRefs>[], clock: StepClock): Promise<void> {
  const refs = refsOf.flatMap((ofShard) => ofShard());
  work.link.board.enter('features', refs.length);
  clock.enter('features');
  await work.runtime.features.fill(refs);
  clock.lap();
}

function computeGradient(work: EpochWork, step: number, shard: number, refs: readonly SampleRef[]): ShardContribution {
  const { runtime, context, collective, directive, link } = work;
  link.board.enter('compute');
  const gradient = collective.gradientBuffer(step, shard);
  const { features, present } = runtime.features.rows(refs, runtime.stage.microBatch);
  const weights = new Float32Array(runtime.stage.microBatch);
  const labels = new Int32Array(runtime.stage.microBatch);
  const { train } = context.manifest.sets;
  for (const [row, { index }] of refs.entries()) {
    weights[row] = present[row] ? 1 : 0;
    labels[row] = train.labels[index] as number;
  }
  const count = present.filter(Boolean).length;
  if (count === 0) {
    gradient.fill(0);
    return { shard, count, weight: 0, loss: 0, correct: 0 };
  }
  const sampleIds = refs.map(({ index }) => train.ids[index] as string);
  const batch = { features, labels, weights, sampleIds, epoch: directive.epoch };
  const { loss, correct } = runtime.program.gradients(batch, gradient);
  link.board.tick(count);
  return { shard, count, weight: count, loss, correct };
}

function applyStep(work: EpochWork, result: StepResult, sums: EpochSums): Applied | null {
  const { runtime, context, directive } = work;
  const { stage, layout } = runtime;
  const learningRate = learningRateAt({
    stage,
    stepInStage: result.step - directive.stageFirstStep,
    stageSteps: runtime.stageSteps,
  });
  const bad = result.nonFinite.map((entry) => layout.entries[entry]?.name ?? `tensor ${entry}`);
  if (bad.length > 0 && context.job.train.onNonFinite === 'fail') {
    throw nonFiniteGradient(stage.name, directive.stage, result.step, bad);
  }
  const applied = bad.length > 0 || result.weight === 0 ? null : runtime.apply(result, learningRate);
  sums.learningRate = learningRate;
  sums.reducedBytes += result.bytes.sent + result.bytes.received;
  sums.stepsSkipped += applied ? 0 : 1;
  if (bad.length > 0) return null;
  sums.lossSum += Math.round(result.loss * fixedPointScale);
  sums.penaltySum += Math.round((applied?.penalty ?? 0) * fixedPointScale);
  sums.count += result.count;
  sums.correct += result.correct;
  return applied;
}

function nonFiniteGradient(stageName: string, stage: number, step: number, tensors: readonly string[]): ThawError {
  const [tensor] = tensors;
  const more = tensors.length > 1 ? ` and ${tensors.length - 1} more` : '';
  return new ThawError(
    'NonFinite',
    `stage "${stageName}", step ${step}: the gradient of ${tensor}${more} holds NaN or infinity; ` +
      'a lower learningRate or gradientClip usually helps, `onNonFinite: skipStep` goes on without such steps',
    { data: { stage, step, tensor } },
  );
}

interface DoneStep {
  readonly result: StepResult;
  readonly applied: Applied | null;
  readonly contributions: readonly ShardContribution[];
  readonly seconds: ReturnType<StepClock['lap']>;
}

function observe(work: EpochWork, { result, applied, contributions, seconds }: DoneStep): void {
  const stepSeconds = Object.values(seconds).reduce((sum, part) => sum + part, 0);
  const { link, directive, generation } = work;
  link.board.set({
    generation: generation.number,
    stage: directive.stage,
    epoch: directive.epoch,
    step: result.step,
    stepSeconds,
    samplesPerSecond: result.count / Math.max(stepSeconds, 1e-9),
    ...(result.count > 0 && {
      loss: result.loss / result.count + (applied?.penalty ?? 0),
      accuracy: result.correct / result.count,
    }),
    ...(applied && { learningRate: applied.learningRate, gradientNorm: applied.gradientNorm }),
  });
  const samples = contributions.reduce((sum, { count }) => sum + count, 0);
  link.observe({ kind: 'step', samples, reducedBytes: result.bytes.sent + result.bytes.received, seconds });
}

function emptySums(): EpochSums {
  return { lossSum: 0, penaltySum: 0, count: 0, correct: 0, stepsSkipped: 0, reducedBytes: 0, learningRate: 0 };
}
