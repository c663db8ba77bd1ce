// Training in the model: the steps of one directive, each applied once everybody's contributions are there. Defects can be
// switched on here to see whether the simulation finds them.

import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Train__Output } from '@thaw/proto/gen/thaw/v1/Train.ts';
import type { Trained } from '@thaw/proto/gen/thaw/v1/Trained.ts';
import { Superseded } from '@thaw/trainer/comms/inbox.ts';
import type { Sum } from './exchange.ts';
import { addedTo, digestOfModel, noSums, stepped } from './model-state.ts';
import type { Task } from './program.ts';
import { exchanged, openExchange, placeIn, restore } from './trainer-life.ts';
import type { TrainerProcess } from './trainer-process.ts';

export function* trainSteps(self: TrainerProcess, directive: Directive__Output, train: Train__Output): Task<Trained> {
  const place = placeIn(self, directive);
  if (restores(self, train, place)) yield* restore(self, directive, train.restoreDigest);
  self.position = { appliedStep: train.firstStep - 1, sums: train.soFar };
  if (train.resetOptimizer) self.state = { ...self.state, slots: '' };
  yield* openExchange(self, directive, `stage ${train.stage}`);
  for (let step = train.firstStep; step <= train.lastStep; step++) {
    const sum = yield* sumOrLate(self, directive, step);
    apply(self, directive, { step, sum });
    const endStoredBy = step === train.lastStep ? train.snapshotMember : null;
    const { acknowledgedPlan } = sum;
    yield* self.snapshots.afterStep({ directive, step, self: place, acknowledgedPlan, endStoredBy });
  }
  const seconds = { data: 0, features: 0, compute: 1, exchange: 0, apply: 0, reducedBytes: 0 };
  const { sums } = self.position;
  const stateDigest = digestOfModel(self.state);
  return { ...(sums ?? noSums), appliedStep: train.lastStep, stateDigest, frozenIntact: true, seconds };
}

function restores({ position, world }: TrainerProcess, { restoring }: Train__Output, place: number): boolean {
  const isTold = restoring.length === 0 || restoring.includes(place);
  if (restoring.length === 0) return isTold;
  const isNew = position.appliedStep === 0;
  if (world.bug === 'joinsWithoutRestoring' && isNew) return false;
  if (world.bug === 'goesOnBehind' && !isNew) return false;
  return isTold;
}

/** With the defect, a step that a halt has interrupted is applied all the same as soon as its sum is there. */
function* sumOrLate(self: TrainerProcess, directive: Directive__Output, step: number): Task<Sum> {
  try {
    return yield* exchanged(self, directive, step);
  } catch (thrown) {
    if (thrown instanceof Superseded && self.world.bug === 'appliesAfterHalt') {
      self.late = () => {
        const sum = self.exchange.sumOf(step);
        if (sum) apply(self, directive, { step, sum });
        return sum !== null;
      };
    }
    throw thrown;
  }
}

function apply(self: TrainerProcess, { generation }: Directive__Output, done: { step: number; sum: Sum }): void {
  const { step, sum } = done;
  self.state = stepped(self.state, step, sum.value);
  const before = self.position;
  self.position = { appliedStep: step, sums: addedTo(before.sums ?? noSums, step, sum.value) };
  self.world.checks.applied(self, { generation: generation?.number ?? 0, step, before: before.appliedStep, ...sum });
}
