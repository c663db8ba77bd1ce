// One control stream between a trainer and the coordinator: in order and without loss until it breaks. Then what is under
// way is gone, and each side learns of it in its own time, or never.

import type { CoordinatorMessage, CoordinatorMessage__Output } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { TrainerMessage, TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import { toCoordinator, toTrainer } from './wire.ts';
import type { World } from './world.ts';

export interface TrainerEnd {
  received(message: CoordinatorMessage__Output): void;
  /** Broken, or ended by the coordinator. */
  lost(reason: string): void;
}

export interface CoordinatorEnd {
  received(stream: ControlStream, message: TrainerMessage__Output): void;
  ended(stream: ControlStream): void;
}

export class ControlStream {
  readonly #world: World;
  readonly #trainer: TrainerEnd;
  readonly #coordinator: CoordinatorEnd;
  #isBroken = false;
  #upAt = 0;
  #downAt = 0;

  constructor(world: World, trainer: TrainerEnd, coordinator: CoordinatorEnd) {
    this.#world = world;
    this.#trainer = trainer;
    this.#coordinator = coordinator;
  }

  send(message: TrainerMessage): void {
    const arrived = toCoordinator(message);
    this.#up(() => this.#coordinator.received(this, arrived));
  }

  /** The trainer has said everything. */
  close(): void {
    this.#up(() => this.#coordinator.ended(this));
  }

  reply(message: CoordinatorMessage): void {
    const arrived = toTrainer(message);
    this.#down(() => this.#trainer.received(arrived));
  }

  /** The coordinator has said everything. */
  end(): void {
    this.#down(() => {
      this.#isBroken = true;
      this.#trainer.lost('the coordinator ended the stream');
    });
  }

  /** `isNoticed`: whether the coordinator learns of it by itself. */
  break(isNoticed: boolean): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { time } = this.#world;
    time.after(this.#delay(), () => this.#trainer.lost('the connection broke'));
    if (isNoticed) time.after(this.#delay(), () => this.#coordinator.ended(this));
  }

  #up(arrive: () => void): void {
    this.#upAt = Math.max(this.#upAt, this.#world.time.now + this.#delay());
    this.#arriveAt(this.#upAt, arrive);
  }

  #down(arrive: () => void): void {
    this.#downAt = Math.max(this.#downAt, this.#world.time.now + this.#delay());
    this.#arriveAt(this.#downAt, arrive);
  }

  #arriveAt(at: number, arrive: () => void): void {
    this.#world.time.after(at - this.#world.time.now, () => {
      if (!this.#isBroken) arrive();
    });
  }

  #delay(): number {
    return this.#world.draw('network', this.#world.scenario.control);
  }
}
