// Numbers as only the terminal shows them: padded, so that columns stay aligned.

import { none } from '@thaw/common/text/number-text.ts';

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

/** 12,345,678: a count that is read, not copied. */
export function groupedText(count: number): string {
  return count.toLocaleString('en-US');
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
