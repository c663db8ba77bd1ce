// One step of training by its definition, in one process: each shard's gradient of the summed cross-entropy, their sum
// in float64 over the number of samples, penalties, clip, and plain gradient descent.

import * as tf from '@tensorflow/tfjs-core';
import type { Weights } from '@thaw/common/model/graph.ts';
import { type OracleBatch, type OracleNetwork, oracleLogits, type RectifierInput } from './network.ts';

export type Gradients = ReadonlyMap<string, Float64Array>;

export interface OracleRule {
  readonly learningRate: number;
  /** λ of λ/2·‖w‖², on kernels. */
  readonly l2: number;
  /** α of α/2·‖w − w₀‖², w₀ from `pretrained` and zero for a tensor that it does not hold. */
  readonly l2sp: number;
  readonly pretrained: Weights;
  readonly clipNorm: number;
}

export interface OracleWeights {
  readonly weights: Weights;
  readonly trainable: readonly string[];
  /** By shard; leaves every input as it is when absent. */
  readonly rectifierInput?: (shard: number) => RectifierInput;
}

/** Mean over all samples of the shards' batches of the gradient of the cross-entropy, for each trainable tensor. */
export function oracleGradients(
  network: OracleNetwork,
  shards: readonly OracleBatch[],
  { weights, trainable, rectifierInput }: OracleWeights,
): { readonly gradients: Gradients; readonly loss: number } {
  const samples = shards.reduce((sum, { labels }) => sum + labels.length, 0);
  const gradients = new Map(trainable.map((name) => [name, new Float64Array(weights.get(name)?.data.length ?? 0)]));
  let loss = 0;
  for (const [shard, batch] of shards.entries()) {
    const asItIs: RectifierInput = (_, x) => x;
    const input = rectifierInput?.(shard) ?? asItIs;
    const ofShard = shardGradients(network, batch, { weights, trainable, input });
    loss += ofShard.loss / samples;
    for (const [i, name] of trainable.entries()) {
      const sum = gradients.get(name) as Float64Array;
      for (const [at, value] of (ofShard.gradients[i] as Float32Array).entries()) {
        sum[at] = (sum[at] as number) + value / samples;
      }
    }
  }
  return { gradients, loss };
}

function shardGradients(
  network: OracleNetwork,
  batch: OracleBatch,
  { weights, trainable, input }: Omit<OracleWeights, 'rectifierInput'> & { readonly input: RectifierInput },
): { readonly gradients: readonly Float32Array[]; readonly loss: number } {
  const { value, grads } = tf.tidy(() => {
    const held = new Map([...weights].map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]));
    const lossOf = (...changed: tf.Tensor[]): tf.Scalar => {
      const values = new Map([...held, ...trainable.map((name, i) => [name, changed[i] as tf.Tensor] as const)]);
      const logits = oracleLogits(network, batch, { values, rectifierInput: input });
      const labels = tf.oneHot(tf.tensor1d([...batch.labels], 'int32'), logits.shape[1]);
      return tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits))));
    };
    return tf.valueAndGrads(lossOf)(trainable.map((name) => held.get(name) as tf.Tensor));
  });
  const read = { gradients: grads.map((grad) => grad.dataSync() as Float32Array), loss: value.dataSync()[0] as number };
  tf.dispose([value, ...grads]);
  return read;
}

/** Trainable tensors after the step, in float64; kernels are the tensors of two axes and more. */
export function oracleStep(values: Weights, gradients: Gradients, rule: OracleRule): Map<string, Float64Array> {
  const penalised = new Map<string, Float64Array>();
  let squares = 0;
  for (const [name, gradient] of gradients) {
    const { data, shape } = values.get(name) as { data: ArrayLike<number>; shape: readonly number[] };
    const l2 = shape.length > 1 ? rule.l2 : 0;
    const anchor = rule.pretrained.get(name)?.data;
    const sum = gradient.map((g, i) => {
      const w = data[i] as number;
      return g + l2 * w + rule.l2sp * (w - (anchor?.[i] ?? 0));
    });
    for (const g of sum) squares += g * g;
    penalised.set(name, sum);
  }
  const factor = Math.min(1, rule.clipNorm / Math.sqrt(squares));
  return new Map(
    Array.from(penalised, ([name, gradient]) => {
      const { data } = values.get(name) as { data: ArrayLike<number> };
      return [name, gradient.map((g, i) => (data[i] as number) - rule.learningRate * factor * g)];
    }),
  );
}
