// The all-reduce by definition, slowly: every float taken apart into integers and added without limit of size.

/** Sums over shards of one tensor, and the exponent that scales them. shards[shard][element] */
export function bigSum(shards: readonly Float32Array[]): { readonly exponent: number; readonly sums: bigint[] } {
  const length = shards[0]?.length ?? 0;
  let largest = 0;
  for (const shard of shards) for (const value of shard) largest = Math.max(largest, Math.abs(value));
  const exponent = largest === 0 ? 0 : exponentFor(largest, shards.length);
  const sums = Array.from({ length }, (_, i) =>
    shards.reduce((total, shard) => total + roundedInteger(shard[i] as number, exponent), 0n),
  );
  return { exponent, sums };
}

/** min(125, 30 - m - h), m the least with largest < 2^m, h the least with shards <= 2^h. */
function exponentFor(largest: number, shards: number): number {
  let m = -200;
  while (!(largest < 2 ** m)) m++;
  let h = 0;
  while (2 ** h < shards) h++;
  return Math.min(125, 30 - m - h);
}

/** value x 2^exponent to the nearest integer, half to even, in whole numbers only. */
export function roundedInteger(value: number, exponent: number): bigint {
  const [mantissa, power] = takenApart(value);
  const shift = power + exponent;
  if (shift >= 0) return mantissa << BigInt(shift);
  const unit = 1n << BigInt(-shift);
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  const floor = magnitude / unit;
  const twiceRest = (magnitude % unit) * 2n;
  const isUp = twiceRest > unit || (twiceRest === unit && floor % 2n === 1n);
  const rounded = isUp ? floor + 1n : floor;
  return mantissa < 0n ? -rounded : rounded;
}

/** value = mantissa x 2^power, exactly. */
function takenApart(value: number): [bigint, number] {
  let mantissa = value;
  let power = 0;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    power--;
  }
  return [BigInt(mantissa), power];
}
