// The two small pictures of the live view: how far an epoch is, and where the loss goes.

const filled = '━';
const open = '─';
const bars = '▁▂▃▄▅▆▇█';

/** `width` cells, in two parts: done and to do. */
export function stepBar(done: number, total: number, width: number): readonly [string, string] {
  const ratio = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const cells = Math.max(0, width);
  const full = Math.floor(ratio * cells);
  return [filled.repeat(full), open.repeat(cells - full)];
}

/** The newest values, one cell each, from their least to their largest. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const least = Math.min(...shown);
  const range = Math.max(...shown) - least;
  const barOf = (value: number): number => (range > 0 ? Math.round(((value - least) / range) * (bars.length - 1)) : 0);
  return shown.map((value) => bars[barOf(value)] ?? '').join('');
}
