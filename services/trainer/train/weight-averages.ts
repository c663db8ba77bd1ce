// Exponential moving averages of trained weights (Polyak & Juditsky 1992), as Keras' use_ema keeps them: one starts as
// its tensor after the first update, and goes on by average = decay * average + (1 - decay) * value. What is evaluated,
// stored as best and exported is the average; what trains on within the stage is the value. The next stage takes the
// averages for values, as Keras does at the end of fit(), so a tensor that is frozen from then on has one value.

import type { Tensor, Weights } from '@thaw/common/model/graph.ts';
import type { TensorState, TrainState } from './train-state.ts';

export interface WeightAverage {
  /** The stage that it belongs to. */
  readonly stage: number;
  /** Shaped like the value; changed in place. */
  readonly values: Float32Array;
}

export interface AverageRule {
  readonly stage: number;
  /** Part of the average that stays. */
  readonly decay: number;
}

/** After an update of the tensor. */
export function updateAverage(tensor: TensorState, { stage, decay }: AverageRule): void {
  const { value, average } = tensor;
  if (!average) {
    tensor.average = { stage, values: value.slice() };
    return;
  }
  const { values } = average;
  for (let i = 0; i < values.length; i++) {
    values[i] = decay * (values[i] as number) + (1 - decay) * (value[i] as number);
  }
}

/** Averages of other stages than the one that is entered become values. Returns what changed. */
export function settleAverages(state: TrainState, stage: number): Weights {
  const settled = new Map<string, Tensor>();
  for (const [name, tensor] of state) {
    if (!tensor.average || tensor.average.stage === stage) continue;
    tensor.value.set(tensor.average.values);
    delete tensor.average;
    settled.set(name, { shape: tensor.shape, data: tensor.value });
  }
  return settled;
}

export function averagesOf(state: TrainState): Weights {
  const averages = new Map<string, Tensor>();
  for (const [name, { shape, average }] of state) if (average) averages.set(name, { shape, data: average.values });
  return averages;
}
