// Dropout masks that depend on the job and the sample only: a mask is drawn from (seed, layer path, epoch, sample id),
// so a sample is dropped alike wherever and with whomever it is computed. Inverted dropout: kept values are 1 / keep.

import { keyedStream } from '@thaw/common/random/stream.ts';

export interface MaskOptions {
  readonly seed: number;
  readonly layer: string;
  readonly rate: number;
  readonly epoch: number;
  readonly sampleIds: readonly string[];
  /** [batch, …]; rows beyond the sample ids are padding and keep everything. */
  readonly shape: readonly number[];
}

export function dropoutMask(options: MaskOptions): Float32Array {
  const { seed, layer, rate, epoch, sampleIds, shape } = options;
  const [batch = 0, ...rest] = shape;
  const floats = rest.reduce((product, size) => product * size, 1);
  const mask = new Float32Array(batch * floats).fill(1);
  const kept = 1 / (1 - rate);
  for (const [row, id] of sampleIds.entries()) {
    const stream = keyedStream(seed, 'dropout', layer, epoch, id);
    for (let i = row * floats; i < (row + 1) * floats; i++) mask[i] = stream.uniform() < rate ? 0 : kept;
  }
  return mask;
}
