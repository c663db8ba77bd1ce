// Whoever starts trainers: keeps as many processes running as are wanted, under the lowest names that are free, and says
// when one has ended.

import { TrainerProcess } from './trainer-process.ts';
import type { World } from './world.ts';

const noticeMilliseconds = [1, 50] as const;
const backOffMilliseconds = [100, 2000] as const;

export class Launcher {
  readonly #world: World;
  #pids = 100;
  #starting = 0;
  wanted: number;

  constructor(world: World) {
    this.#world = world;
    this.wanted = world.scenario.plan.replicas;
  }

  scale(wanted: number): void {
    this.wanted = wanted;
    this.fill(0);
  }

  /** Starts what is missing, after a while. */
  fill(milliseconds: number): void {
    const { trainers, time } = this.#world;
    const missing = this.wanted - trainers.size - this.#starting;
    for (let i = 0; i < missing; i++) {
      this.#starting += 1;
      time.after(milliseconds, () => {
        this.#starting -= 1;
        if (trainers.size < this.wanted) this.#start();
      });
    }
  }

  ended({ name, pid }: TrainerProcess, reason: string): void {
    const { time, coordinator, journal } = this.#world;
    journal.note('launcher', `${name} (pid ${pid}) has ended: ${reason}`);
    time.after(this.#world.draw('pace', noticeMilliseconds), () =>
      coordinator.post({ kind: 'exited', name, pid, reason }),
    );
    this.fill(this.#world.draw('pace', backOffMilliseconds));
  }

  #start(): void {
    const { trainers, journal } = this.#world;
    const taken = new Set([...trainers.values()].map(({ name }) => name));
    let number = 0;
    while (taken.has(`trainer-${number}`)) number += 1;
    const incarnation = this.#world.chance('names').hex(16);
    const trainer = new TrainerProcess(this.#world, { incarnation, name: `trainer-${number}`, pid: this.#pids++ });
    journal.note('launcher', `starts ${trainer.name} (${incarnation.slice(0, 4)})`);
    trainers.set(incarnation, trainer);
    trainer.start();
  }
}
