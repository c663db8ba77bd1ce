// What `thaw run` refuses before it starts anything.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { capturedWorld } from '../testing/captured-world.ts';
import { runCommand } from './run.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-run-'));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const { args, message } of [
  { args: [], message: /missing required argument 'job'/ },
  { args: ['--resume', 'out', '--overwrite'], message: /--resume keeps .*--overwrite replaces it: found both/ },
  { args: ['--resume', 'out', '--out', 'other'], message: /--resume names the output folder already: found --out too/ },
]) {
  it(`does not understand "${args.join(' ')}", and says why`, async () => {
    const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
    let said = '';
    const command = runCommand(world)
      .exitOverride()
      .configureOutput({
        writeErr: (text) => {
          said += text;
        },
      });
    await assert.rejects(command.parseAsync(args, { from: 'user' }), { name: 'CommanderError' });
    assert.match(said, message);
  });
}

it('takes up nothing from a folder that holds no run, and starts nothing', async () => {
  const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
  await runCommand(world).exitOverride().parseAsync(['--resume', 'nowhere'], { from: 'user' });
  assert.equal(world.status(), 1);
  assert.match(
    world.complaints(),
    /OutputConflict.*nowhere holds no run that could be taken up.*\n.*Nothing was written/,
  );
});
