// A list of measurements in three numbers: the median, and the tenths at both ends, which say how quiet the machine was.

export interface Spread {
  readonly median: number;
  /** 10th percentile. */
  readonly low: number;
  /** 90th percentile. */
  readonly high: number;
}

/** Of at least one number. */
export function spreadOf(measured: readonly number[]): Spread {
  const sorted = [...measured].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round((sorted.length - 1) * part)] as number;
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}
