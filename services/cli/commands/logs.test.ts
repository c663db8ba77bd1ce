import assert from 'node:assert/strict';
import { appendFile, mkdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { it, type TestContext } from 'node:test';
import { writeMark } from '@thaw/coordinator/export/output-folder.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { logsCommand } from './logs.ts';

const line = (name: string, time: string, msg: string, level = 30): string =>
  `${JSON.stringify({ level, time: `2026-01-${time}Z`, name, msg })}\n`;

/** A run with logs of three processes; one trainer has crashed. */
async function aRun(context: TestContext, pid: number | null) {
  const folder = await temporaryFolder(context);
  const out = path.join(folder, 'out');
  const { logs } = resultFiles(out);
  const mark = (now: number | null) =>
    writeMark(out, { uid: '01TEST', name: 'digits', jobDigest: 'sha256:0', pid: now, state: 'Cancelled' });
  await mark(pid);
  await mkdir(logs, { recursive: true });
  const write = (file: string, text: string) => appendFile(path.join(logs, file), text);
  await write(
    'coordinator.jsonl',
    line('coordinator', '05T23:59:58.000', 'ready') + line('coordinator', '06T00:00:02.000', 'jobFailed', 50),
  );
  await write(
    'trainer-0.jsonl',
    line('trainer-0', '05T23:59:59.500', 'ready') + line('trainer-0/comms', '06T00:00:01.000', 'directive'),
  );
  await write('trainer-0.stderr.log', 'Segmentation fault\n');
  await utimes(path.join(logs, 'trainer-0.stderr.log'), new Date(), new Date('2026-01-06T00:00:01.500Z'));
  await write('trainer-1.jsonl', line('trainer-1', '05T23:59:59.000', 'ready'));
  const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
  const show = (...args: readonly string[]) =>
    logsCommand(world)
      .exitOverride()
      .parseAsync(['out', ...args], { from: 'user' });
  return { world, show, write, mark };
}

it('merges the logs of all processes by time', async (context) => {
  const { world, show } = await aRun(context, null);
  await show();
  assert.equal(
    world.written(),
    [
      '2026-01-05 UTC',
      '23:59:58.000 coordinator     info   ready',
      '23:59:59.000 trainer-1       info   ready',
      '23:59:59.500 trainer-0       info   ready',
      '2026-01-06 UTC',
      '00:00:01.000 trainer-0/comms info   directive',
      '00:00:01.500 trainer-0       stderr Segmentation fault',
      '00:00:02.000 coordinator     error  jobFailed',
      '',
    ].join('\n'),
  );
});

it('shows one trainer, as JSON', async (context) => {
  const { world, show } = await aRun(context, null);
  await show('--trainer', 'trainer-1', '--json');
  assert.deepEqual(JSON.parse(world.written()), {
    time: '2026-01-05T23:59:59.000Z',
    process: 'trainer-1',
    level: 'info',
    message: 'ready',
  });
});

it('names the processes that have a log where one has none', async (context) => {
  const { show } = await aRun(context, null);
  await assert.rejects(show('--trainer', 'trainer-7'), {
    code: 'SourceNotFound',
    message: 'found no log of trainer-7 in out/logs; there is: coordinator, trainer-0, trainer-1',
  });
});

it('follows files that grow and files that come, until the run is over', async (context) => {
  const { world, show, write, mark } = await aRun(context, process.pid);
  const lines = (): string[] => world.written().split('\n').slice(0, -1);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const followed = show('--follow', '--trainer', 'trainer-2');
  const whole = line('trainer-2', '06T00:00:03.000', 'ready');
  await write('trainer-2.jsonl', whole.slice(0, 20));
  await write('trainer-2.jsonl', whole.slice(20));
  await until(() => lines().length > 0);
  await write('trainer-2.jsonl', line('trainer-2', '06T00:00:04.000', 'finished'));
  await mark(null);
  await followed;
  assert.deepEqual(lines(), [
    '2026-01-06 UTC',
    '00:00:03.000 trainer-2       info   ready',
    '00:00:04.000 trainer-2       info   finished',
  ]);
});
