// Evaluation in the model: numbers of right predictions that the state and the part decide.

import { addSparse } from '@thaw/common/evaluation/sparse-counts.ts';
import { someEvaluated } from '@thaw/coordinator/testing/builders.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Evaluate__Output } from '@thaw/proto/gen/thaw/v1/Evaluate.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import { figureOf } from './model-state.ts';
import type { Task } from './program.ts';
import { check, placeIn } from './trainer-life.ts';
import type { TrainerProcess } from './trainer-process.ts';

export function* evaluateParts(
  self: TrainerProcess,
  directive: Directive__Output,
  work: Evaluate__Output,
): Task<Evaluated__Output> {
  const place = placeIn(self, directive);
  const found: Evaluated__Output[] = [];
  for (const [part, owner] of work.partOwners.entries()) {
    if (owner !== place) continue;
    check(self, directive);
    yield self.world.draw('pace', self.world.scenario.compute);
    self.ticks += 1;
    found.push(evaluatedPart(self, work, part));
  }
  return {
    parts: found.flatMap(({ parts }) => parts),
    positiveScores: addSparse(found.map(({ positiveScores }) => positiveScores ?? nothing)),
    negativeScores: addSparse(found.map(({ negativeScores }) => negativeScores ?? nothing)),
  };
}

const nothing = { cells: [], counts: [] };

function evaluatedPart(self: TrainerProcess, work: Evaluate__Output, part: number): Evaluated__Output {
  const { split, partOwners, temperatures, epoch } = work;
  const correct = figureOf(self.state, 11, split, part);
  const times = timesAdded(self, `${epoch} ${split} ${part}`);
  const asked = partOwners.map((_, one) => (one === part ? 0 : 1));
  const once = someEvaluated(asked, 0, correct);
  const temperedLossSums = temperatures.map((_, i) => figureOf(self.state, 1_000_000, split, part, i));
  const parts = once.parts.map((one) => ({ ...one, lossSum: one.lossSum * times, temperedLossSums }));
  return { ...once, parts };
}

/** Once; with the defect, again for each time that the part was given to this member. */
function timesAdded(self: TrainerProcess, what: string): number {
  if (self.world.bug !== 'addsPartTwice') return 1;
  const times = (self.evaluated.get(what) ?? 0) + 1;
  self.evaluated.set(what, times);
  return times;
}
