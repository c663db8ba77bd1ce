// Where a simulation's luck comes from: one seed, and a stream for each purpose, so that another draw of one kind does not
// shift all the others. Nothing else in a simulation is random.

import { philox } from '@thaw/common/random/stream.ts';

const purposes = { job: 1, faults: 2, network: 3, pace: 4, disk: 5, names: 6 } as const;

export type Purpose = keyof typeof purposes;

export interface Chance {
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  happens(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Hex digits, eight for each number drawn. */
  hex(digits: number): string;
}

/** `seed`: a whole number below 2^32. */
export function chanceOf(seed: number, purpose: Purpose): Chance {
  const stream = philox(seed, purposes[purpose]);
  return {
    between: (least, most) => least + stream.below(most - least + 1),
    happens: (share) => stream.uniform() < share,
    pick<T>(list: readonly T[]): T {
      return list[stream.below(list.length)] as T;
    },
    hex(digits) {
      let text = '';
      while (text.length < digits) text += stream.uint32().toString(16).padStart(8, '0');
      return text.slice(0, digits);
    },
  };
}
