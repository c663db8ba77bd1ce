// The clock of a simulation: it jumps from one thing that is due to the next. What is due at the same time happens in the
// order in which it was asked for, so that a run is the same whenever it is repeated.

interface Due {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export class VirtualTime {
  /** Milliseconds. */
  now = 0;
  #asked = 0;
  /** A binary heap: the first one is due next. */
  readonly #due: Due[] = [];

  after(milliseconds: number, happen: () => void): void {
    this.#due.push({ at: this.now + milliseconds, order: this.#asked++, happen });
    this.#rise(this.#due.length - 1);
  }

  /** Lets the next thing happen; false when nothing is due any more. */
  step(): boolean {
    const next = this.#due[0];
    if (!next) return false;
    const last = this.#due.pop() as Due;
    if (this.#due.length > 0) {
      this.#due[0] = last;
      this.#sink(0);
    }
    this.now = next.at;
    next.happen();
    return true;
  }

  #rise(from: number): void {
    for (let i = from; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#swapped(parent, i)) return;
      i = parent;
    }
  }

  #sink(from: number): void {
    for (let i = from; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      if (left >= this.#due.length) return;
      const child = right < this.#due.length && this.#isBefore(right, left) ? right : left;
      if (!this.#swapped(i, child)) return;
      i = child;
    }
  }

  #swapped(above: number, below: number): boolean {
    if (!this.#isBefore(below, above)) return false;
    const [a, b] = [this.#due[above] as Due, this.#due[below] as Due];
    this.#due[above] = b;
    this.#due[below] = a;
    return true;
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#due[i] as Due, this.#due[j] as Due];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }
}
