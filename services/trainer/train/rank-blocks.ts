// Measures how large each block's gradient is against its weights: one exchange like a training step's, over the first
// samples of every shard, that nobody applies. The sum is the exact one of the protocol, so the norms are the same bits
// on every member, for any number of members.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder } from '@thaw/common/data/epoch-order.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Block } from '@thaw/common/model/graph.ts';
import { rankableBlocks } from '@thaw/common/model/ranked.ts';
import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';
import type { BlockNorms__Output } from '@thaw/proto/gen/thaw/v1/BlockNorms.ts';
import type { Ranked__Output } from '@thaw/proto/gen/thaw/v1/Ranked.ts';
import type { SampleRef } from '../cache/level.ts';
import type { LoadBlock } from '../cache/pixel-level.ts';
import type { Collective, ShardContribution, StepResult } from '../collective/collective.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import type { EngineModel, MicroBatch, StageProgram } from '../engine/engine.ts';
import type { JobContext } from './job-context.ts';

/** The whole backbone is differentiated, whatever the stages' micro-batches are: small ones keep its activations few. */
const microBatch = 16;

export interface RankWork {
  /** The step before the next stage. */
  readonly step: number;
  readonly revision: number;
  /** Shards that this member hosts. */
  readonly hosted: readonly number[];
  readonly context: JobContext;
  /** With the weights to measure. */
  readonly model: EngineModel;
  readonly loadBlock: LoadBlock;
  readonly collective: Pick<Collective, 'gradientBuffer' | 'exchange'>;
  /** Opens the collective for these tensors. */
  readonly open: (layout: TensorLayout) => Promise<void>;
  readonly link: Pick<CommsLink, 'board' | 'check' | 'interruptible'>;
}

export async function measureBlocks(work: RankWork): Promise<Ranked__Output> {
  const { context, model, link, step } = work;
  const blocks = rankableBlocks(context.graph);
  const program = model.stageProgram({
    trainable: blocks.flatMap((block) => tensorsOf(context, block)),
    seed: context.job.train.seed,
    blockSize,
    microBatch,
    classes: context.manifest.classes.length,
    loss: context.job.train.loss,
  });
  try {
    await work.open(program.layout);
    const refs = work.hosted.map((shard) => [shard, firstSamples(context, shard)] as const);
    link.board.enter(
      'compute',
      refs.reduce((sum, [, ofShard]) => sum + ofShard.length, 0),
    );
    const shards: ShardContribution[] = [];
    for (const [shard, ofShard] of refs) shards.push(await shardGradient(work, program, { shard, refs: ofShard }));
    link.board.enter('exchange');
    const exchange = work.collective.exchange({ step, acknowledgedPlan: 0, shards });
    const result = await link.interruptible(exchange);
    requireMeasured(result, program.layout);
    const norms = (block: Block) => blockNorms(work, { block, result, layout: program.layout });
    return { blocks: blocks.map(norms), count: result.count };
  } finally {
    program.dispose();
  }
}

/** By name, since a block holds layers without a trainable tensor too. */
function tensorsOf({ graph }: JobContext, { layers }: Block): string[] {
  const specs = graph.layers.filter(({ path }) => layers.includes(path)).flatMap(({ weights }) => weights);
  return specs.filter(({ role }) => !role.startsWith('moving')).map(({ name }) => name);
}

/** Of the shard in the order of epoch 0, one block of them, as training sees them in view 0. */
function firstSamples({ job, shards }: JobContext, shard: number): SampleRef[] {
  const order = epochOrder({ seed: job.train.seed, epoch: 0, shard, rows: shards[shard] as Uint32Array });
  return Array.from(order.slice(0, blockSize), (index): SampleRef => ({ set: 'train', index, view: 0 }));
}

async function shardGradient(
  { context, collective, loadBlock, link, revision, step }: RankWork,
  program: StageProgram,
  { shard, refs }: { readonly shard: number; readonly refs: readonly SampleRef[] },
): Promise<ShardContribution> {
  const gradient = collective.gradientBuffer(step, shard).fill(0);
  const sums = { shard, count: 0, weight: 0, loss: 0, correct: 0 };
  if (refs.length === 0) return sums;
  const { pixels, present } = await loadBlock(refs);
  const features = program.features(pixels);
  const part = new Float32Array(gradient.length);
  for (let start = 0; start < refs.length; start += microBatch) {
    link.check(revision);
    const batch = batchAt({ start, refs, present, features }, context);
    const count = batch.weights.filter((weight) => weight > 0).length;
    if (count > 0) {
      const { loss, correct } = program.gradients(batch, part);
      for (let i = 0; i < part.length; i++) gradient[i] = (gradient[i] as number) + (part[i] as number);
      sums.count += count;
      sums.weight += count;
      sums.loss += loss;
      sums.correct += correct;
    }
    link.board.tick(batch.sampleIds.length);
  }
  return sums;
}

interface Rows {
  readonly start: number;
  readonly refs: readonly SampleRef[];
  readonly present: readonly boolean[];
  readonly features: Float32Array;
}

/** Unmixed; rows beyond the samples weigh nothing. */
function batchAt(
  { start, refs, present, features }: Rows,
  { job, manifest }: Pick<JobContext, 'job' | 'manifest'>,
): MicroBatch {
  const floats = features.length / blockSize;
  const { ids, labels } = manifest.sets.train;
  const rows = Array.from({ length: microBatch }, (_, row) => refs[start + row]);
  const labelOf = (ref: SampleRef | undefined): number => labels[ref?.index ?? 0] ?? 0;
  const weightOf = (ref: SampleRef): number => job.train.classWeights?.[labelOf(ref)] ?? 1;
  return {
    features: features.slice(start * floats, (start + microBatch) * floats),
    labels: Int32Array.from(rows, labelOf),
    weights: Float32Array.from(rows, (ref, row) => (ref && present[start + row] ? weightOf(ref) : 0)),
    sampleIds: rows.flatMap((ref) => (ref ? [ids[ref.index] as string] : [])),
    epoch: 0,
  };
}

function requireMeasured({ count, nonFinite }: StepResult, { entries }: TensorLayout): void {
  const place = 'measuring which blocks to thaw first';
  const [bad] = nonFinite;
  if (bad !== undefined) {
    const tensor = entries[bad]?.name ?? `tensor ${bad}`;
    throw new ThawError('NonFinite', `${place}: the gradient of ${tensor} holds NaN or infinity`, { data: { tensor } });
  }
  if (count === 0) throw new ThawError('TooManyBadSamples', `${place}: no sample could be read`);
}

interface Measured {
  readonly block: Block;
  readonly result: StepResult;
  readonly layout: TensorLayout;
}

/** In float64, in the layout's order; the mean is over the samples, as an update's is. */
function blockNorms({ context, model }: RankWork, { block, result, layout }: Measured): BlockNorms__Output {
  const names = new Set(tensorsOf(context, block));
  const values = model.readWeights([...names]);
  const sums = { gradient: 0, weights: 0 };
  for (const [index, { name, offset, length }] of layout.entries.entries()) {
    if (!names.has(name)) continue;
    const scale = 2 ** -(result.exponents[index] as number) / result.weight;
    for (let i = offset; i < offset + length; i++) sums.gradient += ((result.sums[i] as number) * scale) ** 2;
    for (const value of values.get(name)?.data ?? []) sums.weights += value ** 2;
  }
  return { block: block.name, gradient: Math.sqrt(sums.gradient), weights: Math.sqrt(sums.weights) };
}
