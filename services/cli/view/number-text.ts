// Numbers as people read them in the terminal. A number that is none (a NaN travels as null in JSON) is a dash.

const none = '–';

/** Six characters: 0.4312, 12.346, 1234.5, 1.2e+7. */
export function lossText(value: number): string {
  if (!Number.isFinite(value)) return none.padStart(6);
  const size = Math.abs(value);
  if (size >= 99_999) return value.toExponential(1).padStart(6);
  return value
    .toFixed(size < 9.99995 ? 4 : size < 99.9995 ? 3 : size < 999.995 ? 2 : size < 9999.95 ? 1 : 0)
    .padStart(6);
}

/** Seven characters: `  9.1 %`. */
export function percentText(ratio: number): string {
  return `${Number.isFinite(ratio) ? (ratio * 100).toFixed(1) : none} %`.padStart(7);
}

/** `0:42`, `12:05`, `3:07:09`. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return none;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part: number): string => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `12.3 s` below a minute, then `4:05`. */
export function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds)) return none;
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : durationText(seconds);
}

export function rateText(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return none;
  return perSecond < 99.95 ? perSecond.toFixed(1) : Math.round(perSecond).toString();
}

/** Of a learning rate: `0.001`, `2.5e-5`. */
export function learningRateText(value: number): string {
  if (!Number.isFinite(value)) return none;
  const short = Number(value.toPrecision(3));
  return Math.abs(short) < 1e-3 && short !== 0 ? short.toExponential() : String(short);
}

export function bytesText(bytes: number): string {
  if (!Number.isFinite(bytes)) return none;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
