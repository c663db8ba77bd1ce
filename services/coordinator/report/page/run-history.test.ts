import assert from 'node:assert/strict';
import { it } from 'node:test';
import { epochsKeptMax } from '../../core/kept-epochs.ts';
import { aStage } from '../../testing/builders.ts';
import { runHistory } from './run-history.ts';
import { someRun } from './testing/some-page-data.ts';

const epochs = epochsKeptMax + 12;
const { report, log } = someRun([aStage({ steps: 4 * epochs }), aStage({ name: 'block' })]);
const last = { epoch: epochs + 1, stage: 1 };

it('has every epoch of a run whose report keeps only some', () => {
  assert.equal(report.stages[0]?.history.length, epochsKeptMax);
  const history = runHistory(report, log);
  assert.deepEqual(
    history.epochs.map(({ epoch }) => epoch),
    Array.from({ length: epochs + 2 }, (_, i) => i),
  );
  assert.equal(history.epochsMissing, 0);
  const dropped = history.epochs[5];
  assert.deepEqual(
    [dropped?.validation?.accuracy, dropped?.parts?.compute, dropped?.reducedBytes, dropped?.stage],
    [0.9, 2, 2000, 0],
  );
});

it('goes by the report where there is no log, and counts what is gone', () => {
  const { epochs: known, epochsMissing } = runHistory(report, '');
  assert.deepEqual([known.length, epochsMissing], [epochsKeptMax + 2, 12]);
  assert.deepEqual([known.at(-1)?.epoch, known.at(-1)?.stage], [last.epoch, last.stage]);
});

it('leaves a line out that is not whole yet', () => {
  assert.deepEqual(runHistory(report, `${log}{"kind":"epochTr`), runHistory(report, log));
});

it('takes an epoch that was run again as it was run last, and one of an older log without its parts', () => {
  const again = {
    ...last,
    kind: 'epochTrained',
    epoch: 0,
    stage: 0,
    loss: 0.125,
    accuracy: 0.5,
    learningRate: 1,
    seconds: 9,
  };
  const { epochs: known } = runHistory({ ...report, stages: [] }, `${log}${JSON.stringify(again)}\n`);
  assert.deepEqual(
    [known[0]?.loss, known[0]?.parts, known[0]?.reducedBytes, known[0]?.validation],
    [0.125, null, null, null],
  );
});
