import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RunEnding } from './ending.ts';
import { createJsonView } from './json-view.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';
import { playRun } from './testing/played-run.ts';

const run = playRun();
const { weightsDigest, jobDigest, test } = run.report;

function aView() {
  const [stdout, stderr] = [0, 0].map(() => fakeTerminal({ columns: 80, rows: 24, isTTY: false }));
  assert.ok(stdout && stderr);
  return { view: createJsonView({ stdout: stdout.stream, stderr: stderr.stream }), stdout, stderr };
}

it('writes each event as it came, once, and nothing else but the end', () => {
  const { view, stdout, stderr } = aView();
  view.starting('coordinator');
  for (const { update } of run.updates.slice(0, 100)) view.update(update);
  const repeated = run.updates.slice(0, 100).flatMap(({ update }) => update.events);
  view.update({ status: null, events: repeated });
  view.warn('for people');
  for (const { update } of run.updates.slice(100)) view.update(update);
  view.end({ kind: 'cancelled', kept: 'nothing' });
  view.end({ kind: 'cancelled', kept: 'nothing' });
  const lines = stdout.writes.join('').split('\n');
  const events = run.updates.flatMap(({ update }) => update.events);
  assert.deepEqual(lines, [...events, '{"kind":"runEnded","outcome":"cancelled","kept":"nothing"}', '']);
  assert.equal(stderr.writes.join(''), 'warning: for people\n');
});

const endings: readonly { readonly ending: RunEnding; readonly line: object }[] = [
  {
    ending: { kind: 'succeeded', out: 'out', report: run.report, predictCommand: 'thaw predict out IMAGE' },
    line: {
      outcome: 'succeeded',
      out: 'out',
      report: 'out/report.json',
      weightsDigest,
      jobDigest,
      test: { loss: test.loss, accuracy: test.accuracy, macroF1: test.macroF1, auc: test.auc, count: test.count },
      badSamples: { train: 1, validation: 0, test: 0 },
      predictCommand: 'thaw predict out IMAGE',
    },
  },
  {
    ending: { kind: 'failed', code: 'BrokerLost', message: 'two\nlines', kept: 'out', logLines: ['a'] },
    line: { outcome: 'failed', code: 'BrokerLost', message: 'two\nlines', kept: 'out', logLines: ['a'] },
  },
];

for (const { ending, line } of endings) {
  it(`ends with one line when the run ${ending.kind}`, () => {
    const { view, stdout } = aView();
    view.end(ending);
    assert.deepEqual(JSON.parse(stdout.writes.join('')), { kind: 'runEnded', ...line });
  });
}
