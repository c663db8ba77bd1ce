// Fewer points for a line that has more of them than pixels: of each run of neighbours the lowest and the highest stay,
// so that a spike of one epoch is still seen.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** At most `pointsMax` (4 or more) of them, in their order, with the first and the last. */
export function thinPoints(points: readonly Point[], pointsMax: number): readonly Point[] {
  if (points.length <= pointsMax) return points;
  const inner = points.slice(1, -1);
  const runs = Math.max(1, Math.floor((pointsMax - 2) / 2));
  const kept = Array.from({ length: runs }, (_, run) => {
    const from = Math.floor((inner.length * run) / runs);
    return extremes(inner.slice(from, Math.floor((inner.length * (run + 1)) / runs)));
  });
  return [points[0] as Point, ...kept.flat(), points.at(-1) as Point];
}

function extremes(run: readonly Point[]): Point[] {
  if (run.length === 0) return [];
  let [low, high] = [0, 0];
  for (const [i, { y }] of run.entries()) {
    if (y < (run[low] as Point).y) low = i;
    if (y > (run[high] as Point).y) high = i;
  }
  return [...new Set([Math.min(low, high), Math.max(low, high)])].map((i) => run[i] as Point);
}
