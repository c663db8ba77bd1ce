// Where values stand along an axis, and the round numbers at which it is labelled.

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** Steps of 1, 2 or 5 times a power of ten; `low` and `high` are ticks. `values` may be empty or all equal. */
export function axisOf(values: readonly number[], ticksMax: number): Axis {
  const finite = values.filter(Number.isFinite);
  const [least, most] = finite.length === 0 ? [0, 1] : [minOf(finite), maxOf(finite)];
  const spread = most > least ? most - least : Math.max(Math.abs(most) / 2, 1e-6);
  const [from, to] = most > least ? [least, most] : [least - spread / 2, most + spread / 2];
  for (let exponent = Math.floor(Math.log10(spread / ticksMax)); ; exponent++) {
    for (const leading of [1, 2, 5]) {
      const axis = axisOfStep(from, to, leading * 10 ** exponent);
      if (axis.ticks.length <= ticksMax) return axis;
    }
  }
}

function axisOfStep(from: number, to: number, step: number): Axis {
  const [first, last] = [Math.floor(from / step + 1e-9), Math.ceil(to / step - 1e-9)];
  const count = Math.max(last - first, 1) + 1;
  // A tick is written with the digits of its step: 0.30000000000000004 is 0.3.
  const ticks = Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: ticks[0] as number, high: ticks.at(-1) as number, ticks };
}

/** Whole numbers from `first` to `last`, at most `ticksMax` of them, with both ends where they fit. */
export function wholeTicks(first: number, last: number, ticksMax: number): number[] {
  const steps = Math.max(1, Math.ceil((last - first) / Math.max(1, ticksMax - 1)));
  const step = roundStep(steps);
  const ticks = [first];
  for (let at = Math.ceil((first + 1) / step) * step; at <= last; at += step)
    if (at - first >= step / 2) ticks.push(at);
  return ticks;
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].map((leading) => leading * power).find((round) => round >= step) as number;
}

/** From value to pixel. */
export function scaleOf(from: readonly [number, number], to: readonly [number, number]): (value: number) => number {
  const [low, high] = from;
  const [start, end] = to;
  return (value) => (high === low ? (start + end) / 2 : start + ((value - low) / (high - low)) * (end - start));
}

function minOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value));
}

function maxOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value));
}
