// Amounts as people write them: an age (30d, 12h, 90m) and a number of bytes (20Gi, 500Mi, 1000).

import { byteQuantityPattern, bytesOfQuantity } from '@thaw/common/text/byte-quantity.ts';
import { InvalidArgumentError } from 'commander';

const ages = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** In milliseconds. */
export function ageOf(text: string): number {
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (unit !== undefined) return Number(number) * ages[unit as keyof typeof ages];
  throw new InvalidArgumentError(`found "${text}"; expected a whole number of minutes, hours or days, such as 30d`);
}

export function byteCount(text: string): number {
  if (byteQuantityPattern.test(text)) return bytesOfQuantity(text);
  throw new InvalidArgumentError(`found "${text}"; expected bytes, such as 20Gi, 500Mi or 1000`);
}

/** The largest unit of which there is one: `3 d`. */
export function ageText(milliseconds: number): string {
  const { m, h, d } = ages;
  const [unit, size] = milliseconds >= d ? ['d', d] : milliseconds >= h ? ['h', h] : ['min', m];
  return `${Math.max(0, Math.floor(milliseconds / Number(size)))} ${unit}`;
}
