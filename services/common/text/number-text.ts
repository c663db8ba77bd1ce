// Numbers that the terminal and the report page write alike. What is no number (a NaN travels as null in JSON) is a dash.

export const none = '–';

/** Three significant digits, without zeros that say nothing: 0.003, 2.5e-5. */
export function shortText(value: number): string {
  if (!Number.isFinite(value)) return none;
  const short = Number(value.toPrecision(3));
  const size = Math.abs(short);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? short.toExponential() : String(short);
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
/** What would be written as 1000.0 of its unit is 1.0 of the next. */
const nextUnitFrom = 999.95;

/** Powers of 1000: 999 B, 52.6 MB. */
export function bytesText(bytes: number): string {
  if (!Number.isFinite(bytes)) return none;
  let [scaled, unit] = [bytes, 0];
  while (scaled >= nextUnitFrom && unit < byteUnits.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? bytes : scaled.toFixed(1)} ${byteUnits[unit]}`;
}
