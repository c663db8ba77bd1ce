// The learning-rate range test (Smith 2017, "Cyclical Learning Rates"): the rate grows by one factor from step to step,
// and the smoothed loss says where it falls fastest and where training breaks. The numbers that decide are fastai's:
// how losses are smoothed, when they have diverged, and which steps a suggestion leaves out.

import { invariant } from '../errors/thaw-error.ts';

export interface RateRange {
  /** Rate of the first step, > 0. */
  readonly from: number;
  /** Rate of the last step, > from. */
  readonly to: number;
  readonly steps: number;
}

export const defaultRateRange: RateRange = { from: 1e-7, to: 10, steps: 100 };
/** Fewer leave too little between the steps that a suggestion skips. */
export const rangeStepsMin = 20;
export const rangeStepsMax = 10_000;

export interface RangePoint {
  readonly learningRate: number;
  /** Of the step that was taken with this rate, measured before its update. */
  readonly loss: number;
  readonly smoothedLoss: number;
}

/** Part of the average that stays. */
const smoothing = 0.98;
/** Training has diverged once the smoothed loss is above this many times its least. */
const divergence = 4;
/** A suggestion leaves out this share of the steps at the start, where the average has seen little. */
const skippedAtStart = 0.1;
/** And this many points at the end, where it may have broken already. */
const skippedAtEnd = 5;

/** `step` from 0. */
export function rangeRateAt({ from, to, steps }: RateRange, step: number): number {
  if (step === 0) return from;
  return step === steps - 1 ? to : from * (to / from) ** (step / (steps - 1));
}

export interface RangeRecord {
  readonly points: readonly RangePoint[];
  /** The last loss that was added is where the test ends. */
  readonly diverged: boolean;
  add(learningRate: number, loss: number): void;
}

/** Losses of one test, smoothed with bias correction, as Adam's means are: the first one counts in full. */
export function rangeRecord(): RangeRecord {
  const points: RangePoint[] = [];
  let average = 0;
  let least = Number.POSITIVE_INFINITY;
  let diverged = false;
  return {
    points,
    get diverged() {
      return diverged;
    },
    add(learningRate, loss) {
      invariant(!diverged, 'a loss after the end of the range test');
      average = smoothing * average + (1 - smoothing) * loss;
      const smoothedLoss = average / (1 - smoothing ** (points.length + 1));
      points.push({ learningRate, loss, smoothedLoss });
      least = Math.min(least, smoothedLoss);
      diverged = smoothedLoss > divergence * least;
    },
  };
}

/**
 * The rate at which the smoothed loss falls fastest over the logarithm of the rate, the ends left out; of equals the
 * lowest. Null when nothing is left, or the loss falls nowhere.
 */
export function suggestedRate(points: readonly RangePoint[], steps: number): number | null {
  const first = Math.floor(steps * skippedAtStart);
  const last = points.length - 1 - skippedAtEnd;
  let steepest = 0;
  let suggested: number | null = null;
  for (let i = first; i <= last; i++) {
    const slope = slopeAt(points, Math.max(first, i - 1), Math.min(last, i + 1));
    if (slope >= steepest) continue;
    steepest = slope;
    suggested = points[i]?.learningRate ?? null;
  }
  return suggested;
}

/** Per step, and steps are even in the logarithm of the rate. Of a single point: none. */
function slopeAt(points: readonly RangePoint[], before: number, after: number): number {
  const [a, b] = [points[before], points[after]];
  if (!a || !b || before === after) return 0;
  return (b.smoothedLoss - a.smoothedLoss) / (after - before);
}
