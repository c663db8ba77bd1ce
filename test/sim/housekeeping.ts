// What the coordinator does to the disk, each piece in its own time: keep a snapshot, read the newest one, export, and drop
// what nobody needs, one after the other and only if it is still not needed then.

import type { Effect } from '@thaw/coordinator/core/events.ts';
import { statesOf } from '@thaw/coordinator/core/kept-stage.ts';
import { referenced } from '@thaw/coordinator/core/references.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@thaw/coordinator/core/snapshot.ts';
import { chosenWeights } from '@thaw/coordinator/core/standing.ts';
import type { JobState } from '@thaw/coordinator/core/state.ts';
import type { CoordinatorProcess } from './coordinator-process.ts';
import { BrokenPromise } from './journal.ts';
import { decodeModel, digestOfModel } from './model-state.ts';
import type { World } from './world.ts';

type DiskEffect = Extract<Effect, { kind: 'keepSnapshot' | 'takeUp' | 'export' | 'discard' | 'keepStage' }>;

export class Housekeeping {
  readonly #world: World;
  readonly #owner: CoordinatorProcess;
  /** When the last of what is done one after the other is done. */
  #freeAt = 0;

  constructor(world: World, owner: CoordinatorProcess) {
    this.#world = world;
    this.#owner = owner;
  }

  perform(effect: DiskEffect): void {
    const { disk } = this.#world;
    switch (effect.kind) {
      case 'keepSnapshot':
        this.#owner.after(this.#delay(), () => this.#keep(effect.snapshot));
        return;
      case 'takeUp':
        this.#takeUp();
        return;
      case 'export':
        this.#owner.after(this.#delay(), () => this.#export());
        return;
      case 'keepStage':
        this.#inTurn(() => {
          for (const digest of statesOf(effect.result))
            this.#read(digest, `the kept stage "${effect.result.stageName}"`);
        });
        return;
      case 'discard': {
        const remove = disk.remover(effect.digest);
        this.#inTurn(() => {
          if (!referenced(this.#owner.state).has(effect.digest)) remove();
        });
        return;
      }
    }
  }

  /** The newest restore point of a state, with everything removed that it does not need. */
  takeUp({ restorePoints }: Pick<JobState, 'restorePoints'>) {
    const { disk } = this.#world;
    const [newest] = restorePoints;
    disk.keepOnly(new Set(restorePoints.flatMap(({ digest, states }) => [digest, ...states])));
    const text = newest && this.#read(newest.digest, 'the newest restore point');
    for (const digest of newest?.states ?? []) this.#read(digest, `the restore point of step ${newest?.step}`);
    const snapshot = text ? decodeSnapshot(text, 'simulated').snapshot : null;
    return { snapshot, restorePoints, badSamples: [], damaged: [] };
  }

  /** Snapshots that are being kept count first, which is when it is decided that they are kept. */
  #takeUp(): void {
    const { state } = this.#owner;
    if (state.pending.writing.length > 0) {
      this.#owner.after(1, () => this.#takeUp());
      return;
    }
    this.#inTurn(() => {
      const { plan, runToken } = this.#owner.state;
      this.#owner.post({ kind: 'resumed', plan, runToken, isSameReign: true, ...this.takeUp(state) });
    });
  }

  #keep(snapshot: Snapshot): void {
    this.#read(snapshot.state.digest, `the snapshot after step ${snapshot.step}`);
    const digest = this.#world.disk.put(encodeSnapshot(snapshot, []));
    this.#owner.post({ kind: 'snapshotKept', digest, snapshot });
  }

  #export(): void {
    const { stored } = chosenWeights(this.#owner.state);
    const weights = this.#read(stored.digest, 'the export');
    this.#owner.post({ kind: 'exported', weightsDigest: digestOfModel(decodeModel(weights)) });
  }

  #read(digest: string, what: string): string {
    const content = this.#world.disk.blobs.get(digest);
    if (content === undefined) throw new BrokenPromise(`${what} needs ${digest}, which is not on the disk`);
    return content;
  }

  #inTurn(happen: () => void): void {
    const { now } = this.#world.time;
    this.#freeAt = Math.max(this.#freeAt, now) + this.#delay();
    this.#owner.after(this.#freeAt - now, happen);
  }

  #delay(): number {
    return this.#world.draw('disk', this.#world.scenario.disk);
  }
}
