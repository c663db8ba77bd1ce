// The seam between training and the library that computes. Everything above it sees typed arrays; no tensor object
// leaves an engine. Fixed batch shapes: callers pad, an engine never sees another batch size.

import type { EngineKind, Loss, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { StatisticsLayout } from '@thaw/common/model/batch-statistics.ts';
import type { Graph, Partition, Weights } from '@thaw/common/model/graph.ts';
import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';

export interface EngineOptions {
  readonly kind: EngineKind;
  readonly threads: number;
  /** GPUs wanted: 1 and none visible is refused. */
  readonly gpus: number;
}

/** What decides the bits. Two trainers may work together only when these and the probe agree. */
export interface EngineClass {
  readonly engine: EngineKind;
  readonly version: string;
  readonly device: string;
  readonly cpuFeatures: string;
  readonly threads: number;
}

export interface Engine {
  readonly engineClass: EngineClass;
  /** Checks that every kernel the graph needs is there (throws EngineUnavailable naming it) and uploads the weights. */
  loadModel(graph: Graph, weights: Weights, preprocessing: Preprocessing): EngineModel;
  memory(): { readonly tensors: number; readonly bytes: number };
}

export interface EngineModel {
  readonly graph: Graph;
  /** Another network on the same tensors, whatever they hold by then; it has none of its own. */
  onGraph(graph: Graph): EngineModel;
  /** A program for one stage. `trainable`: weight names. Dispose it before the next stage's. */
  stageProgram(options: StageProgramOptions): StageProgram;
  /** Whether a pass gives each of its targets the very bits that the target's own program would. */
  canPass(pass: PrefixPass): boolean;
  /** A part of the prefix beside the open stage program. It keeps the weights of now: dispose it before they change. */
  prefixProgram(options: PrefixProgramOptions): PrefixProgram;
  /** A program that measures batch statistics and trains nothing; it holds no tensors. */
  momentsProgram(options: MomentsProgramOptions): MomentsProgram;
  /** Current values of any weights, read back from the engine. */
  readWeights(names: readonly string[]): Weights;
  /** Copies values in. Open programs see new trainable values at once, but keep frozen ones as they folded them. */
  writeWeights(weights: Weights): void;
  dispose(): void;
}

export interface StageProgramOptions {
  readonly trainable: readonly string[];
  readonly seed: number;
  /** Samples of a prefix block and of an evaluation batch. */
  readonly blockSize: number;
  /** Samples of a suffix micro-batch. */
  readonly microBatch: number;
  readonly classes: number;
  readonly loss: Loss;
  /** Normalisations that gradients() normalises by the micro-batch; none when absent. They belong to the suffix. */
  readonly statistics?: StatisticsLayout;
}

export interface StageProgram {
  readonly partition: Partition;
  /** Trainable tensors, in the layout of every gradient and state vector of this stage. */
  readonly layout: TensorLayout;
  /**
   * Boundary features of one block, inference mode, outside the tape.
   * pixels: [blockSize, height, width, 3] bytes, rgb. Returns [blockSize, partition.boundaryFloats].
   */
  features(pixels: Uint8Array): Float32Array;
  /** Gradient of the weighted loss *sum* of one micro-batch, written to `gradient` (layout.length floats). */
  gradients(batch: MicroBatch, gradient: Float32Array): LossSums;
  /** Inference on boundary features [blockSize, boundaryFloats]: probabilities [blockSize, classes]. */
  probabilities(features: Float32Array): Float32Array;
  /** The same with each sample's loss, [blockSize]; labels: [blockSize], any class for a row that is not there. */
  evaluate(features: Float32Array, labels: Int32Array): Evaluated;
  dispose(): void;
}

export interface PrefixPass {
  /** The boundary whose rows are the input; null: pixels. */
  readonly from: Partition | null;
  readonly targets: readonly Partition[];
}

export interface PrefixProgramOptions extends PrefixPass {
  readonly blockSize: number;
}

export interface PrefixProgram {
  /**
   * Inference mode, one block: pixels as for StageProgram.features, or rows of `from` as bytes of their floats.
   * `wanted`: indices of targets; returns [blockSize, boundaryFloats] of each.
   */
  run(input: Uint8Array, wanted: readonly number[]): Float32Array[];
  dispose(): void;
}

/** One shard's samples of one step, padded to microBatch; a padded or bad sample has weight 0. */
export interface MicroBatch {
  /** [microBatch, boundaryFloats]. */
  readonly features: Float32Array;
  /** Class index per sample. */
  readonly labels: Int32Array;
  /** Sample weight; 0 = not there. */
  readonly weights: Float32Array;
  /** Ids key the dropout masks. */
  readonly sampleIds: readonly string[];
  readonly epoch: number;
  /** Every sample's partner's class, and the part of the target that stays the sample's own; absent where none mix. */
  readonly mixed?: { readonly labels: Int32Array; readonly share: number };
}

export interface Evaluated {
  readonly probabilities: Float32Array;
  readonly losses: Float32Array;
}

export interface LossSums {
  /** Sum over samples of weight x loss, float64 of float32 per-sample losses. */
  readonly loss: number;
  /** Samples whose largest probability is their label, of a mixed one the larger part's, weight > 0. */
  readonly correct: number;
  /** Mean and biased variance of the micro-batch's rows of weight > 0, in the program's statistics layout. */
  readonly moments: Float32Array;
}

export interface MomentsProgramOptions {
  /** Normalises by its block; every other layer is in inference mode. */
  readonly statistics: StatisticsLayout;
  readonly blockSize: number;
}

export interface MomentsProgram {
  /** One forward pass over [blockSize, height, width, 3] bytes; rows that are not `present` count nowhere. */
  moments(pixels: Uint8Array, present: readonly boolean[]): Float32Array;
}
