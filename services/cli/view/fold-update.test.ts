import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { foldUpdate, lossesMax } from './fold-update.ts';
import { overTheWire, playRun } from './testing/played-run.ts';
import { epochInStage, initialViewState, type ViewState } from './view-state.ts';

const run = playRun();
const start = initialViewState({ monotonic: 0, wall: run.began });

function folded(updates: readonly { readonly update: Parameters<typeof foldUpdate>[1] }[], from = start): ViewState {
  return updates.reduce((state, { update }) => foldUpdate(state, update).state, from);
}

function atStep(step: number, loss: number, state = 'Training') {
  const status: JobStatus = { state, progress: { step, loss } };
  return { update: overTheWire({ status, events: [] }) };
}

describe('the events of a run', () => {
  const end = folded(run.updates);

  it("give the stages with their first epochs and each one's best", () => {
    assert.deepEqual(
      end.stages.map(({ name, firstEpoch, best }) => [name, firstEpoch, best?.epoch, best?.validation.accuracy]),
      [
        ['head', 0, 2, 0.8],
        ['block5', 4, 4, 0.9],
        ['everything', 6, 7, 1],
      ],
    );
  });

  it('count epochs within their stage', () => {
    assert.deepEqual(
      [0, 3, 4, 5, 6, 7].map((epoch) => epochInStage(end, epoch)),
      [1, 4, 1, 2, 1, 2],
    );
  });

  it('count bad samples', () => assert.equal(end.badSamples, 1));

  it('change nothing and add no line when a watch that is opened again repeats them', () => {
    const all = run.updates.flatMap(({ update }) => update.events);
    const again = foldUpdate(end, { status: end.status, events: all });
    assert.deepEqual(again.state, end);
    assert.deepEqual(again.history, []);
  });

  it('are refused when they are no events, with what was found', () => {
    for (const text of ['{"kind":', 'null', '{"kind":"tested"}']) {
      assert.throws(
        () => foldUpdate(start, { status: null, events: [text] }),
        (error: unknown) =>
          error instanceof ThawError && error.code === 'ProtocolViolation' && error.message.includes(text),
      );
    }
  });

  it('may be of a kind that this view does not know', () => {
    const text = JSON.stringify({ kind: 'snapshotTaken', sequence: 1, id: '1.1', at: new Date(0).toISOString() });
    const { history } = foldUpdate(start, { status: null, events: [text] });
    assert.deepEqual(history[0]?.content, {
      kind: 'line',
      variants: [[{ text: 'event snapshotTaken', style: 'dim' }]],
    });
  });
});

describe('recent losses', () => {
  it('hold one value a step, only while training, and none that is unknown', () => {
    const updates = [
      atStep(1, 3),
      atStep(1, 3),
      atStep(2, 2),
      atStep(3, 0),
      atStep(4, Number.NaN),
      atStep(5, 1, 'Evaluating'),
      atStep(6, 1),
    ];
    assert.deepEqual(folded(updates).losses, [3, 2, 1]);
  });

  it('are bounded', () => {
    const updates = Array.from({ length: lossesMax + 5 }, (_, i) => atStep(i + 1, i + 1));
    const { losses } = folded(updates);
    assert.deepEqual([losses.length, losses[0], losses.at(-1)], [lossesMax, 6, lossesMax + 5]);
  });
});
