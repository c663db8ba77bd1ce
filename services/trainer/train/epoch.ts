// One epoch of one stage, or what is left of it after a stop or a change of members: every step computes the gradients of
// the hosted shards, sums them with everybody's, and applies the same update that everybody applies. What a step computes depends on the job, the step and the shard,
// never on who computes it.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { viewOf } from '@thaw/common/data/epoch-order.ts';
import { assignParts, evaluationParts, partsOwnedBy } from '@thaw/common/data/evaluation-parts.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { learningRateAt } from '@thaw/common/schedule/learning-rate.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { Train__Output } from '@thaw/proto/gen/thaw/v1/Train.ts';
import type { SampleRef } from '../cache/level.ts';
import type { Collective, Generation, ShardContribution, StepResult } from '../collective/collective.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import { unsoundStatistics } from './batch-statistics.ts';
import { type EpochBatches, epochBatches } from './epoch-batches.ts';
import type { JobContext } from './job-context.ts';
import type { Snapshots, StepDone } from './snapshots.ts';
import type { StageRuntime } from './stage-runtime.ts';
import { type StepClock, stepClock } from './step-clock.ts';
import type { Applied } from './update-rule.ts';

export interface EpochWork {
  readonly directive: Train__Output;
  readonly term: number;
  readonly revision: number;
  readonly generation: Generation;
  /** This member's index in the generation. */
  readonly self: number;
  readonly context: JobContext;
  readonly runtime: StageRuntime;
  readonly collective: Collective;
  readonly link: Pick<CommsLink, 'board' | 'check' | 'interruptible' | 'observe'>;
  readonly snapshots: Snapshots;
  /** Told after each step: where the state stands from now on. */
  readonly applied: (step: number, sums: StepDone['sums']) => void;
}

/** Sums over the epoch's steps, those before a stop included, equal on every member; losses in units of 2^-24. */
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
  const { directive, runtime, link, collective, snapshots } = work;
  const shards = hostedShards(work);
  const batches = epochBatches(work, shards);
  const clock = stepClock(() => performance.now());
  const sums: EpochSums = { ...emptySums, ...directive.soFar };
  await fillFeatures(work, batches, clock);
  link.board.enter('compute');
  for (let step = directive.firstStep; step <= directive.lastStep; step++) {
    clock.enter('features');
    await runtime.features.prepare(batches.cached(step), step < directive.lastStep ? batches.cached(step + 1) : []);
    clock.enter('compute');
    const contributions: ShardContribution[] = [];
    for (const shard of shards) {
      link.check(work.revision);
      contributions.push(await computeGradient(work, batches, { step, shard }));
    }
    clock.enter('exchange');
    link.board.enter('exchange');
    const exchange = collective.exchange({ step, acknowledgedPlan: snapshots.known(), shards: contributions });
    const result = await link.interruptible(exchange);
    clock.enter('apply');
    link.board.enter('apply');
    const applied = applyStep(work, result, sums);
    const done = stepDone(work, result, sums);
    work.applied(step, done.sums);
    observe(work, { result, applied, contributions, seconds: clock.lap() });
    await snapshots.afterStep(done);
  }
  if (sums.count === 0) throw nothingMeasured(work, sums);
  return { ...sums, seconds: clock.total };
}

function stepDone(
  { term, revision, self, directive }: EpochWork,
  { step, acknowledgedPlan }: StepResult,
  { reducedBytes: _, ...sums }: EpochSums,
): StepDone {
  const endStoredBy = step === directive.lastStep ? directive.snapshotMember : null;
  return { term, revision, self, step, acknowledgedPlan, endStoredBy, sums };
}

export function hostedShards({ generation, self }: Pick<EpochWork, 'generation' | 'self'>): number[] {
  return [...generation.shardOwners.keys()].filter((shard) => generation.shardOwners[shard] === self);
}

/** Computes whatever the stage will read and the cache lacks, as a phase of its own, up to the budget. */
async function fillFeatures(work: EpochWork, batches: EpochBatches, clock: StepClock): Promise<void> {
  const { directive, runtime } = work;
  const ofEpoch: SampleRef[] = [];
  for (let step = directive.firstStep; step <= directive.lastStep; step++) ofEpoch.push(...batches.cached(step));
  const ofOtherViews = otherViews(work).flatMap((view) => ofEpoch.map((ref) => ({ ...ref, view })));
  clock.enter('features');
  await runtime.features.fill([...ofEpoch, ...validationRefs(work), ...ofOtherViews]);
  clock.lap();
}

/** What this member evaluates at the end of the epoch, unless members change until then. */
function validationRefs({ context, generation, self }: EpochWork): SampleRef[] {
  const parts = evaluationParts(context.manifest.sets.validation.ids.length, blockSize);
  const owned = partsOwnedBy(self, assignParts(parts.length, generation.members.length), parts);
  return [...owned.values()].flat().map((index) => ({ set: 'validation', index, view: 0 }));
}

/** Views of the epochs that the stage has still to come, in their order. */
function otherViews({ directive, runtime, context }: EpochWork): number[] {
  const { views } = context.job.data;
  const stageEnd = directive.stageFirstStep + runtime.stageSteps;
  const epochs = Math.ceil((stageEnd - directive.epochFirstStep) / runtime.stepsPerEpoch);
  const wanted = Array.from({ length: Math.min(epochs, views) }, (_, i) => viewOf(directive.epoch + i, views));
  return wanted.slice(1);
}

async function computeGradient(
  { runtime, collective, link }: EpochWork,
  batches: EpochBatches,
  { step, shard }: { readonly step: number; readonly shard: number },
): Promise<ShardContribution> {
  link.board.enter('compute');
  const gradient = collective.gradientBuffer(step, shard);
  const { batch, count } = await batches.make(step, shard);
  if (count === 0) {
    gradient.fill(0);
    return { shard, count, weight: 0, loss: 0, correct: 0, ...noStatisticsOf(runtime) };
  }
  const { loss, correct, moments } = runtime.program.gradients(batch, gradient);
  const statistics = runtime.measure(moments, count);
  link.board.tick(count);
  // Keras' rule: the sum of weighted gradients over the number of samples, whatever their weights.
  return { shard, count, weight: count, loss, correct, ...(statistics && { statistics }) };
}

/** A shard without a sample adds nothing, in as many numbers as the others. */
function noStatisticsOf({ statistics: { moved } }: StageRuntime): Pick<ShardContribution, 'statistics'> {
  return moved.length > 0 ? { statistics: new BigInt64Array(moved.length) } : {};
}

function applyStep(work: EpochWork, result: StepResult, sums: EpochSums): Applied | null {
  const { runtime, context, directive } = work;
  const { stage } = runtime;
  const learningRate = learningRateAt({
    stage,
    stepInStage: result.step - directive.stageFirstStep,
    stageSteps: runtime.stageSteps,
  });
  const place = { stageName: stage.name, stage: directive.stage, step: result.step };
  const bad = nonFiniteParts(result, runtime);
  if (bad.length > 0 && context.job.train.onNonFinite === 'fail') throw nonFiniteStep(place, bad);
  const applied = bad.length > 0 || result.weight === 0 ? null : runtime.apply(result, learningRate);
  sums.learningRate = learningRate;
  sums.reducedBytes += result.bytes.sent + result.bytes.received;
  sums.stepsSkipped += applied ? 0 : 1;
  if (bad.length > 0) return null;
  sums.lossSum = addFixedPoint(sums.lossSum, result.loss, place);
  sums.penaltySum = addFixedPoint(sums.penaltySum, applied?.penalty ?? 0, place);
  sums.count += result.count;
  sums.correct += result.correct;
  return applied;
}

/** A part of a step that is not finite: the loss, a tensor of the gradient, or a layer's statistics. */
interface NonFinitePart {
  readonly tensor?: string;
  readonly words: string;
}

function nonFiniteParts({ nonFinite, loss, statistics }: StepResult, runtime: StageRuntime): NonFinitePart[] {
  const gradients = nonFinite.map((entry) => {
    const tensor = runtime.layout.entries[entry]?.name ?? `tensor ${entry}`;
    return { tensor, words: `the gradient of ${tensor}` };
  });
  const measured = unsoundStatistics(runtime.statistics.moved, statistics).map((path) => ({
    tensor: path,
    words: `the batch statistics of ${path}`,
  }));
  return [...gradients, ...measured, ...(Number.isFinite(loss) ? [] : [{ words: 'the loss' }])];
}

interface Place {
  readonly stageName: string;
  readonly stage: number;
  readonly step: number;
}

function nonFiniteStep({ stageName, stage, step }: Place, [first, ...others]: readonly NonFinitePart[]): ThawError {
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return new ThawError(
    'NonFinite',
    `stage "${stageName}", step ${step}: ${first?.words}${more} holds NaN or infinity; ` +
      'a lower learningRate or gradientClip usually helps, `onNonFinite: skipStep` goes on without such steps',
    { data: { stage, step, tensor: first?.tensor } },
  );
}

/** Sums are exact, or the training has diverged so far that they could not be. */
function addFixedPoint(sum: number, value: number, { stageName, stage, step }: Place): number {
  const added = sum + Math.round(value * fixedPointScale);
  if (Number.isSafeInteger(added)) return added;
  throw new ThawError(
    'NonFinite',
    `stage "${stageName}", step ${step}: the losses of this epoch add up to ${added / fixedPointScale}; expected less ` +
      `than ${Number.MAX_SAFE_INTEGER / fixedPointScale}. A lower learningRate or gradientClip usually helps`,
    { data: { stage, step } },
  );
}

/** An epoch without a single sample has no loss and no accuracy that could be reported. */
function nothingMeasured({ directive, runtime, context }: EpochWork, { stepsSkipped }: EpochSums): ThawError {
  const { stage, epochFirstStep, lastStep: step } = directive;
  const steps = `stage "${runtime.stage.name}", steps ${epochFirstStep} to ${step}: all ${stepsSkipped} were skipped`;
  const data = { data: { stage, step } };
  return context.job.train.onNonFinite === 'skipStep'
    ? new ThawError(
        'NonFinite',
        `${steps}, because a loss or gradient held NaN or infinity or no sample could be read`,
        data,
      )
    : new ThawError('TooManyBadSamples', `${steps}, because no sample of them could be read`, data);
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
    ...(result.count > 0 &&
      Number.isFinite(result.loss) && {
        loss: result.loss / result.count + (applied?.penalty ?? 0),
        accuracy: result.correct / result.count,
      }),
    ...(applied && { learningRate: applied.learningRate, gradientNorm: applied.gradientNorm }),
  });
  const samples = contributions.reduce((sum, { count }) => sum + count, 0);
  link.observe({ kind: 'step', samples, reducedBytes: result.bytes.sent + result.bytes.received, seconds });
}

const emptySums: EpochSums = {
  lossSum: 0,
  penaltySum: 0,
  count: 0,
  correct: 0,
  stepsSkipped: 0,
  reducedBytes: 0,
  learningRate: 0,
};
