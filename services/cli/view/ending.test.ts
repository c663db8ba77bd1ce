import assert from 'node:assert/strict';
import { it } from 'node:test';
import { endingLines, type RunEnding, writeEnding } from './ending.ts';
import { paint } from './styled-line.ts';
import { fakeTerminal } from './testing/fake-terminal.ts';
import { matchesGolden } from './testing/golden.ts';
import { playRun } from './testing/played-run.ts';

const { report } = playRun();
const kept = 'out/digits keeps logs/ and events.jsonl.';
const succeeded: RunEnding = {
  kind: 'succeeded',
  out: 'out/digits',
  report,
  predictCommand: 'thaw predict out/digits IMAGE',
};
const endings: Readonly<Record<string, RunEnding>> = {
  succeeded,
  'succeeded without bad samples': {
    ...succeeded,
    report: { ...report, badSamples: { counts: { train: 0, validation: 0, test: 0 }, listed: [] } },
  },
  failed: {
    kind: 'failed',
    code: 'TooManyBadSamples',
    message:
      '30 of 960 train samples are unreadable; data.maxBadSamples allows 2 %:\n  a.png: found no PNG signature\n  and 29 more',
    kept,
    logLines: ['{"level":30,"msg":"ready"}', '\x1b[31mE\x1b[0m \x1b[2Jout of memory\r'],
  },
  'failed without a log': { kind: 'failed', code: 'BrokerLost', message: 'nats-server ended', kept, logLines: [] },
  cancelled: { kind: 'cancelled', kept },
};

for (const width of [120, 80, 40]) {
  it(`closes a run in a terminal of ${width} columns`, () => {
    const text = Object.entries(endings).map(([name, ending]) =>
      [`# ${name}`, ...endingLines(ending, width).map((spans) => paint(spans, false)), ''].join('\n'),
    );
    matchesGolden(`ending-${width}`, text.join('\n'));
  });
}

it('names a reused stage where others have their seconds', () => {
  const reused = { job: 'earlier', uid: '01OLD', trainedAt: '2026-01-04T10:00:00.000Z' };
  const [first, ...others] = report.stages;
  assert.ok(first);
  const ending = { ...succeeded, report: { ...report, stages: [{ ...first, reused }, ...others] } };
  const [wide, narrow] = [80, 20].map((width) => endingLines(ending, width).map((spans) => paint(spans, false)));
  assert.match(wide?.find((line) => line.startsWith(first.name)) ?? '', / reused$/);
  assert.match(narrow?.find((line) => line.startsWith(first.name)) ?? '', /, reused$/);
});

it('writes a result to stdout and everything else to stderr', () => {
  for (const [name, ending] of Object.entries(endings)) {
    const [stdout, stderr] = [fakeTerminal({ columns: 80, rows: 40 }), fakeTerminal({ columns: 80, rows: 40 })];
    writeEnding(ending, { stdout: stdout.stream, stderr: stderr.stream });
    const hasResult = ending.kind === 'succeeded';
    assert.deepEqual([stdout.writes.length, stderr.writes.length], hasResult ? [1, 0] : [0, 1], name);
  }
});

it('colours only where the stream takes it', () => {
  for (const colours of [true, false]) {
    const { stream, screen } = fakeTerminal({ columns: 80, rows: 40, colours });
    writeEnding(succeeded, { stdout: stream, stderr: stream });
    assert.equal(screen.colours > 0, colours);
  }
});
