// A trainer's snapshots, as the real ones are taken: after the step that a plan or the epoch's end asks for, beside
// training, told once the copy is hashed or stored.

import { digestOf } from '@thaw/common/content/digest.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import { encodeModel } from './model-state.ts';
import { Program, type Task } from './program.ts';
import type { TrainerProcess } from './trainer-process.ts';

const underWayMax = 2;

export interface StepDone {
  readonly directive: Directive__Output;
  readonly step: number;
  readonly self: number;
  /** The highest plan that every member knows. */
  readonly acknowledgedPlan: number;
  /** Set after the epoch's last step. */
  readonly endStoredBy: number | null;
}

export class ModelSnapshots {
  readonly #owner: TrainerProcess;
  #carriedOut = 0;
  #underWay = 0;
  #programs: Program[] = [];

  constructor(owner: TrainerProcess) {
    this.#owner = owner;
  }

  known(): number {
    return this.#owner.plan?.number ?? 0;
  }

  /** Those that are under way go on whenever something happens to the process. */
  wake(): void {
    for (const program of this.#programs) program.wake();
  }

  *afterStep(done: StepDone): Task {
    const plan = done.acknowledgedPlan > this.#carriedOut ? this.#owner.plan : null;
    this.#carriedOut = Math.max(this.#carriedOut, done.acknowledgedPlan);
    if (done.endStoredBy !== null) yield* this.#take(done, done.endStoredBy === done.self);
    else if (plan)
      yield* this.#take(done, plan.number === done.acknowledgedPlan && plan.snapshot?.member === done.self);
  }

  *#take(done: StepDone, isStoring: boolean): Task {
    yield () => this.#underWay < underWayMax;
    this.#underWay += 1;
    const program: Program = new Program(
      this.#owner,
      this.#finish(done, isStoring, () => this.#ended(program)),
    );
    this.#programs.push(program);
    program.wake();
  }

  #ended(program: Program): void {
    this.#underWay -= 1;
    this.#programs = this.#programs.filter((one) => one !== program);
  }

  *#finish({ directive, step }: StepDone, isStoring: boolean, ended: () => void): Task {
    const { state, position, world } = this.#owner;
    const taken = { term: directive.term, revision: directive.revision, step, plan: this.#carriedOut };
    const content = encodeModel(state, '');
    if (isStoring) yield* this.#owner.store(content);
    else yield world.draw('pace', world.scenario.transfer);
    const bytes = isStoring ? content.length : 0;
    this.#owner.send({
      snapshotTaken: { ...taken, digest: digestOf(content), bytes, sums: position.sums, pauseSeconds: 0 },
    });
    ended();
  }
}
