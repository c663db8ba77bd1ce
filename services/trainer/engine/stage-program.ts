// One stage's network in the engine: the prefix in inference mode outside the tape, the suffix under it. Weights are
// tensors of the model; the trainable ones are replaced after every update.

import * as tf from '@tensorflow/tfjs-core';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import { argmax } from '@thaw/common/evaluation/argmax.ts';
import { outputActivation } from '@thaw/common/job/loss.ts';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import { noStatistics, type StatisticsLayout, statisticsNames } from '@thaw/common/model/batch-statistics.ts';
import type { Graph, Layer, Partition } from '@thaw/common/model/graph.ts';
import { activationOf, numberOf } from '@thaw/common/model/layer-config.ts';
import { partitionFor } from '@thaw/common/model/partition.ts';
import { type TensorLayout, tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { activate } from '../model/activation.ts';
import { type Affine, affineKinds, affineOf, type Values } from '../model/affine.ts';
import { dropoutMask } from '../model/dropout-mask.ts';
import { compile, execute, type Operation } from '../model/execute.ts';
import type { Call } from '../model/layer-execution.ts';
import { joinBoundary, splitBoundary } from './boundary-rows.ts';
import type { Evaluated, LossSums, MicroBatch, StageProgram, StageProgramOptions } from './engine.ts';
import { sampleLosses } from './loss.ts';
import { measureMoments } from './measured-moments.ts';
import { preprocess } from './preprocess.ts';

export interface ProgramOptions extends StageProgramOptions {
  readonly graph: Graph;
  readonly preprocessing: Preprocessing;
  readonly value: Values;
}

interface Program {
  readonly options: ProgramOptions;
  readonly partition: Partition;
  readonly layout: TensorLayout;
  readonly statistics: StatisticsLayout;
  readonly prefix: readonly Operation[];
  readonly suffix: readonly Operation[];
  readonly constants: ReadonlyMap<Operation, Affine>;
  /** Path of the output layer; null where it does not end in the activation that the loss goes with. */
  readonly logitsOf: string | null;
}

export function createStageProgram(options: ProgramOptions): StageProgram {
  const program = compileStage(options);
  const { partition, layout } = program;
  return {
    partition,
    layout,
    features: (pixels) => features(program, pixels),
    gradients: (batch, gradient) => gradients(program, batch, gradient),
    probabilities: (rows) => evaluate(program, rows, null).probabilities,
    evaluate: (rows, labels) => evaluate(program, rows, labels),
    dispose() {
      for (const { kernel, bias } of program.constants.values()) tf.dispose(bias ? [kernel, bias] : [kernel]);
    },
  };
}

function compileStage(options: ProgramOptions): Program {
  const { graph, trainable, statistics = noStatistics } = options;
  const changing = new Set([...trainable, ...statisticsNames(statistics)]);
  const partition = partitionFor(graph, [...changing]);
  const wanted = new Set(trainable);
  const specs = graph.layers.flatMap(({ weights }) => weights).filter(({ name }) => wanted.has(name));
  const prefix = compile(graph, partition.prefix, partition.boundary);
  const apart = new Set(statistics.entries.map(({ path }) => path));
  const suffix = compile(graph, partition.suffix, [graph.output], apart);
  const constants = new Map<Operation, Affine>();
  for (const operation of [...prefix, ...suffix]) {
    const { layer, normalization } = operation;
    const weights = [...layer.weights, ...(normalization?.weights ?? [])];
    if (!affineKinds.has(layer.kind) || weights.some(({ name }) => changing.has(name))) continue;
    constants.set(operation, keptAffine(layer, normalization, options.value));
  }
  const output = graph.layers.find(({ path }) => path === graph.output);
  return {
    options,
    partition,
    layout: tensorLayout(specs),
    statistics,
    prefix,
    suffix,
    constants,
    logitsOf: output && endsIn(output, outputActivation(options.loss)) ? graph.output : null,
  };
}

/** Only of these kinds can execution leave the activation away. */
function endsIn(layer: Layer, activation: 'softmax' | 'sigmoid'): boolean {
  if (layer.kind === 'Softmax') return activation === 'softmax';
  return (layer.kind === 'Activation' || affineKinds.has(layer.kind)) && activationOf(layer) === activation;
}

/** Copies of what never changes in this stage; the model's own tensors are not shared, so that disposal is plain. */
export function keptAffine(layer: Layer, normalization: Layer | null, value: Values): Affine {
  const [kernel, bias] = tf.tidy(() => {
    const affine = affineOf(layer, normalization, value);
    return [affine.kernel, affine.bias].filter((tensor) => tensor !== null).map((tensor) => tf.clone(tensor));
  });
  invariant(kernel !== undefined, `${layer.path} has no kernel`);
  return { kernel: tf.keep(kernel), bias: bias ? tf.keep(bias) : null };
}

function features({ options, partition, prefix, constants }: Program, pixels: Uint8Array): Float32Array {
  const { blockSize, graph, preprocessing, value } = options;
  const shape: [number, number, number, number] = [blockSize, preprocessing.height, preprocessing.width, 3];
  const input = tf.tensor4d(preprocess(pixels, preprocessing), shape);
  const rows = tf.tidy(() => {
    const run = { value, mask: null, constants, inference: true };
    return joinBoundary(partition, execute(prefix, new Map([[graph.input, input]]), run));
  });
  const data = rows.dataSync() as Float32Array;
  tf.dispose([input, rows]);
  return data;
}

function gradients(program: Program, batch: MicroBatch, gradient: Float32Array): LossSums {
  const { options, layout, suffix, constants } = program;
  const logitsOf = requireLogits(program);
  const names = layout.entries.map(({ name }) => name);
  const measured = measureMoments(program.statistics, batch.weights);
  const [logits, losses, ...grads] = tf.tidy(() => {
    const rows = tf.tensor2d(batch.features, [options.microBatch, program.partition.boundaryFloats]);
    const inputs = splitBoundary(options.graph, program.partition, rows);
    const targets = targetsOf(batch, options.classes);
    const weights = tf.tensor1d(batch.weights);
    const mask = maskOf(options, batch);
    const kept: tf.Tensor[] = [];
    const lossOf = (...trainable: tf.Tensor[]): tf.Scalar => {
      const replaced = new Map(names.map((name, i) => [name, trainable[i] as tf.Tensor]));
      const value: Values = (name) => replaced.get(name) ?? options.value(name);
      const outputs = execute(suffix, inputs, { value, mask, moments: measured.of, constants, logitsOf });
      const logits = outputs.get(options.graph.output) as tf.Tensor;
      const perSample = sampleLosses(options.loss, logits, targets);
      kept.push(tf.keep(tf.clone(logits)), tf.keep(tf.clone(perSample)));
      return tf.sum(tf.mul(weights, perSample)) as tf.Scalar;
    };
    const { grads: found } = tf.valueAndGrads(lossOf)(names.map((name) => options.value(name)));
    return [...kept, ...found];
  }) as tf.Tensor[];
  for (const [i, { offset }] of layout.entries.entries()) gradient.set((grads[i] as tf.Tensor).dataSync(), offset);
  const [perSample, scores] = [losses, logits].map((tensor) => tensor?.dataSync() as Float32Array);
  const sums = lossSums(batch, perSample as Float32Array, scores as Float32Array);
  tf.dispose([logits as tf.Tensor, losses as tf.Tensor, ...grads]);
  return { ...sums, moments: measured.take() };
}

function requireLogits({ options, logitsOf }: Program): string {
  if (logitsOf !== null) return logitsOf;
  const { graph, loss } = options;
  throw new ThawError(
    'HeadMismatch',
    `${graph.output}: the network does not end in ${outputActivation(loss)}, which the loss ${loss.kind} goes with`,
  );
}

/** [microBatch, classes]. */
function targetsOf({ labels, mixed }: Pick<MicroBatch, 'labels' | 'mixed'>, classes: number): tf.Tensor {
  const oneHot = (of: Int32Array): tf.Tensor => tf.oneHot(tf.tensor1d(of, 'int32'), classes);
  if (!mixed) return oneHot(labels);
  return tf.add(tf.mul(oneHot(labels), mixed.share), tf.mul(oneHot(mixed.labels), 1 - mixed.share));
}

function maskOf({ seed }: ProgramOptions, { epoch, sampleIds }: MicroBatch): Call['mask'] {
  return (layer, shape) => {
    const rate = numberOf(layer, 'rate');
    const mask = dropoutMask({ seed, layer: layer.path, rate, epoch, sampleIds, shape });
    return tf.tensor(mask, [...shape]);
  };
}

function lossSums(batch: MicroBatch, losses: Float32Array, scores: Float32Array): Omit<LossSums, 'moments'> {
  const classes = scores.length / losses.length;
  const truths = batch.mixed && batch.mixed.share < 0.5 ? batch.mixed.labels : batch.labels;
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < losses.length; row++) {
    const weight = batch.weights[row] as number;
    if (weight === 0) continue;
    loss += weight * (losses[row] as number);
    if (argmax(scores.subarray(row * classes, (row + 1) * classes)) === truths[row]) correct += 1;
  }
  return { loss, correct };
}

/** Losses only with labels. */
function evaluate(program: Program, rows: Float32Array, labels: Int32Array | null): Evaluated {
  const { options, partition, suffix, constants } = program;
  const logitsOf = labels ? requireLogits(program) : undefined;
  const [output, losses] = tf.tidy(() => {
    const features = tf.tensor2d(rows, [options.blockSize, partition.boundaryFloats]);
    const run = { value: options.value, mask: null, constants, inference: true };
    const outputs = execute(suffix, splitBoundary(options.graph, partition, features), { ...run, logitsOf });
    const output = outputs.get(options.graph.output) as tf.Tensor;
    if (!labels) return [output];
    const activated = activate(output, outputActivation(options.loss));
    return [activated, sampleLosses(options.loss, output, targetsOf({ labels }, options.classes))];
  }) as [tf.Tensor, tf.Tensor | undefined];
  const evaluated = {
    probabilities: output.dataSync() as Float32Array,
    losses: (losses?.dataSync() ?? new Float32Array()) as Float32Array,
  };
  tf.dispose(losses ? [output, losses] : [output]);
  return evaluated;
}
