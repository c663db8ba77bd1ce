// The thread that computes, as a generator: it yields milliseconds to let them pass, or a condition to wait for. Conditions
// are looked at whenever something has happened to its process.

import type { TrainerProcess } from './trainer-process.ts';

export type Wait = number | (() => boolean);
export type Task<T = void> = Generator<Wait, T, void>;

export class Program {
  readonly #owner: TrainerProcess;
  readonly #task: Task<unknown>;
  /** Null while it sleeps, and once it has ended. */
  #isDue: (() => boolean) | null = () => true;

  constructor(owner: TrainerProcess, task: Task<unknown>) {
    this.#owner = owner;
    this.#task = task;
  }

  wake(): void {
    while (this.#isDue?.()) {
      this.#isDue = null;
      try {
        this.#advance();
      } catch (thrown) {
        this.#owner.fail(thrown);
      }
    }
  }

  #advance(): void {
    const { done, value } = this.#task.next();
    if (done) return;
    if (typeof value === 'function') {
      this.#isDue = value;
      return;
    }
    this.#owner.after(value as number, () => {
      this.#isDue = () => true;
    });
  }
}
