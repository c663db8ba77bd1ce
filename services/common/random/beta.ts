// Numbers from Beta(alpha, alpha), which mixing draws its shares from.

import type { RandomStream } from './stream.ts';

/** In 0..1, symmetric about one half; small alphas lie near the ends. `alpha` > 0. */
export function symmetricBeta(stream: RandomStream, alpha: number): number {
  return alpha <= 1 ? johnk(stream, alpha) : cheng(stream, alpha);
}

/** Jöhnk 1964, in logarithms, because small alphas leave powers that are no numbers any more. */
function johnk(stream: RandomStream, alpha: number): number {
  for (;;) {
    const x = Math.log(inside(stream)) / alpha;
    const y = Math.log(inside(stream)) / alpha;
    const largest = Math.max(x, y);
    const sum = largest + Math.log(Math.exp(x - largest) + Math.exp(y - largest));
    if (sum <= 0) return Math.exp(x - sum);
  }
}

/** Cheng 1978, algorithm BB, without its quick tests. */
function cheng(stream: RandomStream, alpha: number): number {
  const rate = Math.sqrt(1 / alpha);
  for (;;) {
    const [first, second] = [inside(stream), inside(stream)];
    const v = rate * Math.log(first / (1 - first));
    const w = alpha * Math.exp(v);
    const accepted = 2 * alpha * Math.log((2 * alpha) / (alpha + w)) + (alpha + 1 / rate) * v - Math.log(4);
    if (accepted >= Math.log(first * first * second)) return w / (alpha + w);
  }
}

/** Uniform between 0 and 1, neither of them. */
function inside(stream: RandomStream): number {
  return (stream.uint32() + 0.5) / 2 ** 32;
}
