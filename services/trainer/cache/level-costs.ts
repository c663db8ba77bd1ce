// What rows of a level cost this process and what they spared it, kept from the first directive to the last: a level is
// measured in one of them and served in many. The figure is an estimate for metrics and the report; nothing decides by it.

import type { Level } from './level.ts';

interface Timing {
  seconds: number;
  rows: number;
}

export interface LevelCosts {
  /** Computing rows from pixels, decoding included. */
  readonly fromPixels: Timing;
  /** Computing rows from a stored boundary. */
  readonly fromHeld: Timing;
  /** Reading rows from disk; memory counts as nothing. */
  readSeconds: number;
  /** Times that a held row was used, and rows that were computed to be held. */
  served: number;
  filled: number;
}

/** By the key of a level. */
export type CostsByLevel = Map<string, LevelCosts>;

export interface Savings {
  /** Uses of a row beyond the one that it was computed for. */
  readonly samples: number;
  readonly seconds: number;
}

export function costsOf(costs: CostsByLevel, { key }: Pick<Level, 'key'>): LevelCosts {
  const known = costs.get(key);
  if (known) return known;
  const none = { fromPixels: { seconds: 0, rows: 0 }, fromHeld: { seconds: 0, rows: 0 } };
  const added = { ...none, readSeconds: 0, served: 0, filled: 0 };
  costs.set(key, added);
  return added;
}

export function addTiming(timing: Timing, seconds: number, rows: number): void {
  timing.seconds += seconds;
  timing.rows += rows;
}

/**
 * Samples served x (seconds of computing one - seconds of reading one), summed over levels. A level of which this
 * process never computed a row by itself, as another one's pass stored it on its way, counts its samples and no seconds.
 */
export function savingsOf(costs: CostsByLevel): Savings {
  let samples = 0;
  let seconds = 0;
  for (const { fromPixels, fromHeld, readSeconds, served, filled } of costs.values()) {
    const spared = Math.max(0, served - filled);
    const timing = fromPixels.rows > 0 ? fromPixels : fromHeld;
    const each = timing.rows > 0 ? timing.seconds / timing.rows : 0;
    samples += spared;
    seconds += Math.max(0, spared * each - readSeconds);
  }
  return { samples, seconds };
}
