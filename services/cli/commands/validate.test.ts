import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { type CapturedWorld, capturedWorld } from '../testing/captured-world.ts';
import { validateCommand } from './validate.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'thaw-validate-'));
after(() => rm(folder, { recursive: true, force: true }));
const digits = await readFile(fileURLToPath(new URL('../../../examples/digits.yaml', import.meta.url)), 'utf8');

/** Validates digits.yaml, changed, as `job.yaml` in the working directory. */
async function validate(change: (job: string) => string, ...flags: string[]): Promise<CapturedWorld> {
  await writeFile(path.join(folder, 'job.yaml'), change(digits));
  const world = capturedWorld({ cwd: folder, cacheDirectory: path.join(folder, 'cache') });
  await validateCommand(world).parseAsync(['job.yaml', ...flags], { from: 'user' });
  return world;
}

const same = (job: string): string => job;
const noModel = (job: string): string => job.replace('example:nsfwjs-mobilenet-v2', 'file:missing/model.json');

test('a valid job is one line with what it is and its digest', async () => {
  const world = await validate(same);
  assert.match(
    world.written(),
    /^job\.yaml: valid: digits, imageClassification, 10 classes, \d+ train \/ \d+ validation \/ \d+ test samples, 3 stages \(head, last-block, last-two-blocks\), sha256:[0-9a-f]{64}\n$/,
  );
  assert.equal(world.status(), 0);
});

test('--json says the same as fields', async () => {
  const line = (await validate(same)).written();
  const found = JSON.parse((await validate(same, '--json')).written()) as {
    samples: { train: number; validation: number; test: number };
    jobDigest: string;
  };
  const expected = { file: 'job.yaml', valid: true, name: 'digits', task: 'imageClassification' };
  assert.deepEqual({ ...found, ...expected }, found);
  const { train, validation, test } = found.samples;
  assert.equal(validation, test);
  assert.equal(train, 8 * test);
  assert.ok(
    line.endsWith(
      `${train} train / ${validation} validation / ${test} test samples, 3 stages (head, last-block, last-two-blocks), ${found.jobDigest}\n`,
    ),
  );
});

test('--syntax opens neither model nor data', async () => {
  const world = await validate(noModel, '--syntax');
  assert.equal(world.written(), 'job.yaml: valid: digits, imageClassification; model and data were not opened\n');
});

const shardsLine = digits.slice(0, digits.indexOf('shards: 8')).split('\n').length;
const misspelt = (job: string): string => job.replace('shards: 8', 'shard: 8');
const unknownKey = new RegExp(`^JobInvalid job\\.yaml:${shardsLine}:5: .*unknown key "shard".*shards`);

const refused: [string, (job: string) => string, string[], RegExp][] = [
  ['a misspelt key', misspelt, [], unknownKey],
  ['a misspelt key, by syntax alone', misspelt, ['--syntax'], unknownKey],
  [
    'fields that contradict each other, by syntax alone',
    (job) => job.replace('shards: 8', 'shards: 4'),
    ['--syntax'],
    /^JobInvalid job\.yaml:\d+:\d+: spec\.trainers\.max: found 8 trainers for 4 shards/,
  ],
  ['a model that is not there', noModel, [], /^SourceNotFound .*missing.model\.json/],
  [
    'a layer pattern that matches nothing',
    (job) => job.replace("trainable: ['head/**']", "trainable: ['haed/**']"),
    [],
    /^JobInvalid job\.yaml:\d+:\d+: .*haed/,
  ],
];

for (const [what, change, flags, expected] of refused) {
  test(`${what} is refused, naming the place`, async () => {
    await assert.rejects(validate(change, ...flags), (error) => {
      assert.ok(error instanceof ThawError);
      assert.match(`${error.code} ${error.message}`, expected);
      return true;
    });
  });
}

test('a job file that is not there is named', async () => {
  const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
  const command = validateCommand(world).parseAsync(['none.yaml'], { from: 'user' });
  await assert.rejects(command, { name: 'ThawError(SourceNotFound)', message: /none\.yaml: there is no such file/ });
});
