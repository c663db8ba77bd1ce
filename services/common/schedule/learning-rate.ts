// The learning rate of a step: linear warm-up, then the stage's curve over the rest of the stage's longest length.

import { assertNever } from '../errors/thaw-error.ts';
import type { Curve, ResolvedStage } from '../job/resolved-job.ts';

export interface LearningRateOptions {
  readonly stage: Pick<ResolvedStage, 'learningRate' | 'warmupSteps' | 'curve'>;
  /** From 0. */
  readonly stepInStage: number;
  /** Steps of the stage at most. */
  readonly stageSteps: number;
}

export function learningRateAt({ stage, stepInStage, stageSteps }: LearningRateOptions): number {
  const { learningRate, warmupSteps, curve } = stage;
  if (stepInStage < warmupSteps) return (learningRate * (stepInStage + 1)) / warmupSteps;
  return learningRate * curveFactor(curve, stepInStage - warmupSteps, Math.max(1, stageSteps - warmupSteps));
}

/** A curve that begins below its peak warms up by itself: the rate would fall from the end of a warm-up to its start. */
export function warmsUpItself(curve: Curve): boolean {
  return curveFactor(curve, 0, 1) < 1;
}

/** Factor on the peak rate at step t of T, t from 0. */
export function curveFactor(curve: Curve, t: number, total: number): number {
  const done = Math.min(1, t / total);
  switch (curve) {
    case 'constant':
      return 1;
    case 'linear':
      return 1 - done;
    case 'cosine':
      return cosineBetween(1, 0, done);
    case 'oneCycle':
      return oneCycle(done);
    case 'slantedTriangular':
      return slantedTriangular(t, total);
    default:
      return assertNever(curve, 'curve');
  }
}

function cosineBetween(from: number, to: number, done: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * done))) / 2;
}

/** Smith & Topin 2019, with the constants of PyTorch's OneCycleLR: rise for 30 %, from 1/25, down to 1/250,000. */
function oneCycle(done: number): number {
  const rise = 0.3;
  const start = 1 / 25;
  return done < rise ? cosineBetween(start, 1, done / rise) : cosineBetween(1, start / 1e4, (done - rise) / (1 - rise));
}

/** Howard & Ruder, ACL 2018, equation 3: cut_frac 0.1, ratio 32. */
function slantedTriangular(t: number, total: number): number {
  const ratio = 32;
  const cut = Math.max(1, Math.floor(total * 0.1));
  const p = t < cut ? t / cut : 1 - Math.min(1, (t - cut) / Math.max(1, total - cut));
  return (1 + p * (ratio - 1)) / ratio;
}
