// A view that comes to a run in its middle: what the first event of a resumed run tells it of before.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { foldUpdate } from './fold-update.ts';
import { historyLines } from './history.ts';
import type { JobEvent } from './job-event.ts';
import { paint } from './styled-line.ts';
import { epochInStage, initialViewState } from './view-state.ts';

const validation = { loss: 0.3, accuracy: 0.9, macroF1: 0.9, auc: 0.95, count: 100 };
const resumed: JobEvent = {
  kind: 'jobResumed',
  term: 2,
  trainers: 3,
  stepsRedone: 12,
  stages: [
    { stage: 0, name: 'head', firstEpoch: 0, best: { epoch: 1, validation } },
    { stage: 1, name: 'block', firstEpoch: 4, best: null },
  ],
  stagesTotal: 3,
  stage: 1,
  epoch: 5,
  epochInStage: 1,
  step: 57,
  id: '2.40',
  sequence: 40,
  at: new Date(0).toISOString(),
};

function told(event: JobEvent) {
  const start = initialViewState({ monotonic: 0, wall: 0 });
  const { state, history } = foldUpdate(start, { status: null, events: [JSON.stringify(event)] });
  const lines = history.flatMap((entry) => historyLines(entry, Number.POSITIVE_INFINITY));
  return { state, text: lines.map((spans) => paint(spans, false)).join('\n') };
}

it('knows the stages, their best epochs and where it is', () => {
  const { state, text } = told(resumed);
  assert.deepEqual(
    [state.stagesTotal, state.stages.map(({ name }) => name), state.lastEpoch],
    [3, ['head', 'block'], 4],
  );
  assert.deepEqual(
    [1, 5].map((epoch) => epochInStage(state, epoch)),
    [2, 2],
  );
  assert.match(text, /resumed in stage 2 of 3 "block", epoch 2, after step 57, 3 trainers; about 12 steps done again$/);
});

it('says that it begins anew where nothing was stored, and what was damaged', () => {
  const anew = { ...resumed, stages: [], stage: 0, epoch: 0, epochInStage: 0, step: 0, stepsRedone: 0 };
  assert.match(
    told({ ...anew, damaged: ['the snapshot after step 9 cannot be used'] }).text,
    /resumed at the beginning, 3 trainers\. warning: the snapshot after step 9/,
  );
});
