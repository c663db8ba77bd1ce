// Numbers as only the page shows them: few digits, the unit beside them, a dash where there is none.

import { none } from '@thaw/common/text/number-text.ts';

/** 96.2 %; what is not quite all is never said to be. */
export function percentText(ratio: number): string {
  if (!Number.isFinite(ratio)) return none;
  return ratio < 1 && ratio >= 0.9995 ? '> 99.9 %' : `${(ratio * 100).toFixed(1)} %`;
}

/** Of losses and scores: 0.1403, 12.35, 1.2e+5. */
export function scoreText(value: number): string {
  if (!Number.isFinite(value)) return none;
  const size = Math.abs(value);
  return size >= 1e5 ? value.toExponential(1) : value.toFixed(size < 10 ? 4 : size < 1000 ? 2 : 0);
}

/** 0.4 s, 25.9 s, 2 min 42 s, 3 h 07 min; a number keeps its unit beside it. */
export function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds)) return none;
  if (seconds < 59.95) return `${seconds.toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours}\u00a0h ${String(minutes).padStart(2, '0')}\u00a0min`;
  return `${minutes}\u00a0min ${String(whole % 60).padStart(2, '0')}\u00a0s`;
}

export function countText(count: number, noun: string, nouns = `${noun}s`): string {
  return `${groupedText(count)} ${count === 1 ? noun : nouns}`;
}

/** 12 345, with a space that does not break. */
export function groupedText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** In UTC: 2026-11-24 19:30 UTC. */
export function dateText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
