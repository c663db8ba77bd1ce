// What happened in a run, for people and for the comparison of two runs of one seed: the newest lines, and a digest of all.

import { createHash } from 'node:crypto';
import type { VirtualTime } from './virtual-time.ts';

const linesKept = 40;

/** A promise of the system that was broken; the run ends with it. */
export class BrokenPromise extends Error {}

export class Journal {
  readonly faults = new Map<string, number>();
  /** Every fault with its time, for the report of a failure. */
  readonly faultLines: string[] = [];
  readonly #time: VirtualTime;
  readonly #print: ((line: string) => void) | null;
  readonly #hash = createHash('sha256');
  readonly #newest: string[] = [];

  /** `print`: gets every line at once. */
  constructor(time: VirtualTime, print: ((line: string) => void) | null) {
    this.#time = time;
    this.#print = print;
  }

  note(who: string, what: string): void {
    const line = `${(this.#time.now / 1000).toFixed(3).padStart(9)} ${who}: ${what}`;
    this.#hash.update(line);
    this.#newest.push(line);
    if (this.#newest.length > linesKept) this.#newest.shift();
    this.#print?.(line);
  }

  fault(kind: string, who: string, what: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    this.note(who, what);
    this.faultLines.push(this.#newest.at(-1) as string);
  }

  get newest(): readonly string[] {
    return this.#newest;
  }

  /** Equal for equal runs. Ends the journal. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
