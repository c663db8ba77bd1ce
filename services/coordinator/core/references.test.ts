// What may be removed, over whole jobs whose stages end early, are undone and go back: never what anybody asks for later.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { aPlan, aStage, Play } from '../testing/builders.ts';
import { chosenWeights } from './standing.ts';
import type { Work } from './state.ts';

const stages = (['continue', 'restoreBest', 'continue', 'restoreBest'] as const).map((onEnter, i) =>
  aStage({ name: `stage-${i}`, onEnter }),
);

function restoredBy(work: Work): string {
  if (work.kind === 'train') return work.train.restoreDigest;
  return work.kind === 'evaluate' || work.kind === 'rank' ? work.restoreDigest : '';
}

/** Right predictions of ten in each epoch, on the validation set and on the old task. */
const epochs = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 8 });

it('no state is removed that is restored or exported later', () => {
  const counts = { train: 100, validation: 20, test: 20, retention: 30 };
  const retention = { classes: 2, maxDrop: 0.3, onExceed: 'rollback' } as const;
  const parts = { validation: 3, test: 3, retention: 3 };
  let removed = 0;
  fc.assert(
    fc.property(epochs, epochs, fc.constantFrom('best', 'last'), (validation, old, weights) => {
      const play = new Play(aPlan({ samples: counts, parts, retention, stages, weights })).gather(2).answer([9]);
      const gone = new Set<string>();
      while (play.state.directive && play.kind() !== 'finish') {
        const { work } = play.state.directive;
        assert.ok(!gone.has(restoredBy(work)), `${restoredBy(work)} was removed`);
        const seen = play.effects.length;
        play.answer(work.kind === 'evaluate' && work.split === 'retention' ? old : validation);
        for (const effect of play.effects.slice(seen)) if (effect.kind === 'discard') gone.add(effect.digest);
        if (work.kind === 'store') gone.delete(play.state.held?.digest ?? '');
      }
      removed += gone.size;
      if (play.state.phase === 'Exporting') assert.ok(!gone.has(chosenWeights(play.state).stored.digest));
    }),
  );
  assert.ok(removed > 0, 'something is removed');
});
