// Plays a made-up run to the terminal, with warnings in between, as `thaw run` would show a real one:
//   node --import tsx test/support/view-demo.ts --speed 10 --mode live --ending succeeded --updates 200
// Tests run it on a pseudo-terminal; people look at it. `--crash-at N` throws at update N, as a defect would;
// `--ending none` says no ending at all.

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRunView, type RunEnding, viewMode } from 'thaw/view/run-view.ts';
import { playRun } from 'thaw/view/testing/played-run.ts';

const { values } = parseArgs({
  options: {
    speed: { type: 'string', default: '10' },
    mode: { type: 'string' },
    ending: { type: 'string', default: 'succeeded' },
    updates: { type: 'string' },
    'crash-at': { type: 'string' },
  },
});

const { updates, report, began } = playRun();
const speed = Number(values.speed);
const start = performance.now();
const clock = {
  monotonic: () => (performance.now() - start) * speed,
  wall: () => began + (performance.now() - start) * speed,
};

const endings: Readonly<Record<string, RunEnding>> = {
  succeeded: { kind: 'succeeded', out: 'out/digits', report, predictCommand: 'thaw predict out/digits IMAGE' },
  failed: {
    kind: 'failed',
    code: 'TrainerLost',
    message: 'trainer-1 (pid 4711) was lost in stage "block5" after step 120: it was killed by SIGKILL',
    kept: 'out/digits keeps the log files and events.jsonl.',
    logLines: ['{"level":30,"msg":"ready"}', '{"level":50,"msg":"out of memory"}'],
  },
  cancelled: { kind: 'cancelled', kept: 'out/digits keeps the log files and events.jsonl.' },
};

const mode =
  values.mode === 'live' || values.mode === 'plain' || values.mode === 'json'
    ? values.mode
    : viewMode({ json: false, isTerminal: process.stderr.isTTY === true, env: process.env });
const view = createRunView({ mode, stdout: process.stdout, stderr: process.stderr, clock });
const end = (): void => {
  const ending = endings[values.ending];
  if (ending) view.end(ending);
};
process.on('SIGINT', () => {
  end();
  process.exit(130);
});

view.starting('nats-server');
await delay(500 / speed);
view.starting('coordinator');
const warnEvery = 50;
for (const [i, { at, update }] of updates.slice(0, Number(values.updates ?? updates.length)).entries()) {
  const wait = at / speed - (performance.now() - start);
  if (wait > 0) await delay(wait);
  view.update(update);
  if (i % warnEvery === warnEvery - 1)
    view.warn(`made-up warning ${i + 1} of a process, longer than a narrow terminal`);
  if (String(i) === values['crash-at']) throw new Error('a made-up defect');
}
end();
