// The collective of the model, one trainer's side: everybody sends what its shards contribute to everybody, and has the sum
// once it holds a contribution of every member of just this generation. What is missing is asked for again; what was sent
// is kept for those who ask, as long as the generation stands.

import type { GenerationInfo__Output } from '@thaw/proto/gen/thaw/v1/GenerationInfo.ts';
import { contributionOf } from './model-state.ts';
import type { TrainerProcess } from './trainer-process.ts';
import type { World } from './world.ts';

const askMilliseconds = 250;
/** Of own contributions: nobody who trains is further behind. */
const stepsKept = 2;

export interface Opening {
  /** Frames of another run, generation or stage are dropped. */
  readonly key: string;
  readonly generation: GenerationInfo__Output;
  readonly self: number;
}

export interface Contribution {
  readonly key: string;
  readonly from: string;
  readonly step: number;
  readonly shards: readonly number[];
  readonly values: readonly number[];
  readonly acknowledgedPlan: number;
}

export interface Sum {
  readonly value: number;
  /** Whose contributions are in it, rising. */
  readonly shards: readonly number[];
  readonly acknowledgedPlan: number;
}

export class Exchange {
  readonly #world: World;
  readonly #owner: TrainerProcess;
  #opened: Opening | null = null;
  #kept: Contribution[] = [];
  /** By step and sender. */
  readonly #received = new Map<number, Map<string, Contribution>>();

  constructor(world: World, owner: TrainerProcess) {
    this.#world = world;
    this.#owner = owner;
  }

  get key(): string {
    return this.#opened?.key ?? '';
  }

  open(opening: Opening): void {
    this.#opened = opening;
    this.#kept = [];
    if (this.#world.bug !== 'acceptsStaleContributions') this.#received.clear();
  }

  close(): void {
    this.#opened = null;
  }

  hosted(): readonly number[] {
    const { generation, self } = this.#opened as Opening;
    return [...generation.shardOwners.keys()].filter((shard) => generation.shardOwners[shard] === self);
  }

  contribute(step: number, acknowledgedPlan: number): void {
    const shards = this.hosted();
    const values = shards.map((shard) => contributionOf(step, shard));
    const mine: Contribution = { key: this.key, from: this.#owner.incarnation, step, shards, values, acknowledgedPlan };
    this.#kept = [...this.#kept, mine].slice(-stepsKept);
    this.receive(mine);
    for (const to of this.#members()) this.#send(to, mine);
    this.#askLater(step, this.key);
  }

  /** Null while a contribution is missing. */
  sumOf(step: number): Sum | null {
    const received = this.#received.get(step);
    const all = this.#members().flatMap((member) => received?.get(member) ?? []);
    if (all.length < this.#members().length) return null;
    for (const done of [...this.#received.keys()]) if (done < step) this.#received.delete(done);
    return {
      value: all.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0),
      shards: all.flatMap(({ shards }) => shards).sort((a, b) => a - b),
      acknowledgedPlan: Math.min(...all.map((one) => one.acknowledgedPlan)),
    };
  }

  receive(contribution: Contribution): void {
    const { key, step, from } = contribution;
    const isStale = key !== this.key && this.#world.bug !== 'acceptsStaleContributions';
    if (isStale || !this.#members().includes(from)) return;
    const received = this.#received.get(step) ?? new Map<string, Contribution>();
    if (!received.has(from)) received.set(from, contribution);
    this.#received.set(step, received);
  }

  asked(key: string, step: number, by: string): void {
    const mine = this.#kept.find((one) => one.step === step && one.key === key);
    if (mine) this.#send(by, mine);
  }

  #members(): readonly string[] {
    return this.#opened?.generation.members.map(({ incarnation }) => incarnation) ?? [];
  }

  #askLater(step: number, key: string): void {
    this.#owner.after(askMilliseconds, () => {
      const received = this.#received.get(step);
      if (this.key !== key || !received) return;
      const missing = this.#members().filter((member) => !received.has(member));
      const by = this.#owner.incarnation;
      for (const member of missing) this.#frame(member, (other) => other.exchange.asked(key, step, by));
      if (missing.length > 0) this.#askLater(step, key);
    });
  }

  #send(to: string, contribution: Contribution): void {
    if (to !== this.#owner.incarnation) this.#frame(to, (other) => other.exchange.receive(contribution));
  }

  #frame(to: string, arrive: (other: TrainerProcess) => void): void {
    const { scenario, trainers, time } = this.#world;
    const isLost = this.#world.chance('network').happens(scenario.lost) || this.#owner.isCutOff('exchange');
    if (isLost) return;
    time.after(this.#world.draw('network', scenario.exchange), () => {
      const other = trainers.get(to);
      if (other && !other.isCutOff('exchange')) other.run(() => arrive(other));
    });
  }
}
