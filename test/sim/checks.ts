// What has to hold at every moment of a run, looked at from outside: the checks know the whole world, no process does.
// They compare with the run that nothing disturbed, whose states and decisions are the only right ones.

import type { JobState } from '@thaw/coordinator/core/state.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import { sourceState } from '@thaw/proto/source-state.ts';
import type { Sum } from './exchange.ts';
import { BrokenPromise } from './journal.ts';
import { digestOfModel } from './model-state.ts';
import type { TrainerProcess } from './trainer-process.ts';
import type { World } from './world.ts';

export interface Applied extends Pick<Sum, 'shards'> {
  readonly generation: number;
  readonly step: number;
  /** The step before it on this trainer. */
  readonly before: number;
}

export class Checks {
  readonly #world: World;
  /** Digest of the state after each step; of the undisturbed run where there is one. */
  readonly states = new Map<number, string>();
  readonly #expected: ReadonlyMap<number, string> | null;
  #reign = '';
  #restoreStep = 0;

  constructor(world: World, expected: ReadonlyMap<number, string> | null) {
    this.#world = world;
    this.#expected = expected;
  }

  applied(self: TrainerProcess, { generation, step, before, shards }: Applied): void {
    const { shards: count } = this.#world.scenario.plan;
    const where = `${self.name} applied step ${step} of generation ${generation}`;
    this.#world.journal.note(self.name, `applied step ${step} of generation ${generation}`);
    expect(shards.length === count && shards.every((shard, i) => shard === i), `${where} with shards ${shards}`);
    expect(step === before + 1, `${where} after step ${before}`);
    expect(generation >= self.haltedIn, `${where} after it stood still for generation ${self.haltedIn}`);
    const digest = digestOfModel(self.state);
    const expected = this.#expected?.get(step) ?? this.states.get(step) ?? digest;
    expect(digest === expected, `${where} and holds ${digest}; expected ${expected}`);
    this.states.set(step, digest);
  }

  /** Of a directive that still holds, the state is there. */
  fetching(self: TrainerProcess, { term, revision }: Directive__Output, digest: string): void {
    const { coordinator, disk } = this.#world;
    const { state, isUp } = coordinator;
    const isCurrent = isUp && state.term === term && state.directive?.revision === revision;
    const what = `${self.name} restores ${digest} for directive ${revision}, and it is not there`;
    expect(!isCurrent || disk.blobs.has(digest), what);
  }

  /** After every decision of the coordinator that is stored. */
  decided(state: JobState): void {
    const { disk } = this.#world;
    const [newest] = state.restorePoints;
    const step = newest?.step ?? 0;
    if (state.reign !== this.#reign) this.#restoreStep = 0;
    expect(step >= this.#restoreStep, `the restore point went back from step ${this.#restoreStep} to ${step}`);
    this.#reign = state.reign;
    this.#restoreStep = step;
    for (const point of state.restorePoints) {
      const missing = disk.missingOf(point);
      expect(missing.length === 0, `the restore point of step ${point.step} names ${missing}, which is not there`);
    }
    const { directive } = state;
    const restored = directive && 'train' in directive.work ? directive.work.train.restoreDigest : '';
    expect(
      ['', sourceState].includes(restored) || disk.blobs.has(restored),
      `directive ${directive?.revision} restores ${restored}, which is gone`,
    );
  }
}

function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new BrokenPromise(what);
}
