// Measures batch statistics while a network runs: gives each layer of a layout the moments of what it sees, and keeps
// a copy of them for whoever asks afterwards.

import * as tf from '@tensorflow/tfjs-core';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { StatisticsLayout } from '@thaw/common/model/batch-statistics.ts';
import { batchMoments, type Moments, type MomentsOf } from '../model/batch-normalization.ts';

export interface MeasuredMoments {
  /** Null when the layout is empty. */
  readonly of: MomentsOf | null;
  /** What was measured, in the layout's order; frees the copies. Once, after the run. */
  take(): Float32Array;
}

/** `weights`: by row; rows of weight 0 are padding or unreadable. */
export function measureMoments(layout: StatisticsLayout, weights: Float32Array): MeasuredMoments {
  if (layout.entries.length === 0) return { of: null, take: () => new Float32Array(0) };
  const presence = weights.map((weight) => (weight > 0 ? 1 : 0));
  const present = presence.reduce((sum, one) => sum + one, 0);
  invariant(present > 0, 'batch statistics of no sample');
  const wanted = new Set(layout.entries.map(({ path }) => path));
  const kept = new Map<string, Moments>();
  return {
    of({ path }, x) {
      if (!wanted.has(path)) return null;
      const moments = batchMoments(x, tf.tensor2d(presence, [1, presence.length]), present);
      const copy = (tensor: tf.Tensor): tf.Tensor => tf.keep(tf.clone(tensor));
      kept.set(path, { mean: copy(moments.mean), variance: copy(moments.variance) });
      return moments;
    },
    take() {
      const found = new Float32Array(layout.length);
      for (const { path, offset, channels } of layout.entries) {
        const moments = kept.get(path);
        invariant(moments !== undefined, `${path} was not run`);
        found.set(moments.mean.dataSync(), offset);
        found.set(moments.variance.dataSync(), offset + channels);
        tf.dispose([moments.mean, moments.variance]);
      }
      return found;
    },
  };
}
