import assert from 'node:assert/strict';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeTinyResult } from '../../../test/support/fixtures/tiny-result.ts';
import type { Evaluation } from '../results/evaluation.ts';
import { type CapturedWorld, capturedWorld } from '../testing/captured-world.ts';
import { evaluateCommand } from './evaluate.ts';
import { predictCommand } from './predict.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-evaluate-'));
  await writeTinyResult(path.join(folder, 'job'), { images: { perClass: 24 } });
  await cp(path.join(folder, 'job', 'images'), path.join(folder, 'torn'), { recursive: true });
  await writeFile(path.join(folder, 'torn', 'square', '100.png'), 'no picture');
  await writeFile(path.join(folder, 'torn', 'circle', '100.png'), 'no picture');
  await cp(path.join(folder, 'job', 'images'), path.join(folder, 'renamed'), { recursive: true });
  await rename(path.join(folder, 'renamed', 'square'), path.join(folder, 'renamed', 'squares'));
  await writeFile(path.join(folder, 'gone.csv'), 'path,label\na.png,circle\nb.png,square\nc.png,stripes\n');
  for (const label of ['circle', 'square', 'stripes']) {
    await cp(path.join(folder, 'torn', 'square', '100.png'), path.join(folder, 'all-torn', label, '0.png'));
  }
});
after(() => rm(folder, { recursive: true, force: true }));

async function run(command: typeof evaluateCommand, ...args: string[]): Promise<CapturedWorld> {
  const world = capturedWorld({ cwd: folder, cacheDirectory: path.join(folder, 'cache') });
  await command(world)
    .exitOverride()
    .parseAsync([...args, '--engine', 'cpu'], { from: 'user' });
  return world;
}

const evaluate = (...args: string[]) => run(evaluateCommand, ...args);

async function figuresOf(data: string): Promise<Evaluation> {
  return JSON.parse((await evaluate('job/out', data, '--json')).written()) as Evaluation;
}

it('counts just what `thaw predict` predicts, file by file', async () => {
  const { confusion, classes, count, accuracy, loss, badSamples, ...others } = await figuresOf('job/images');
  const world = await run(predictCommand, 'job/out', 'job/images', '--json');
  const expected = classes.map(() => classes.map(() => 0));
  let logs = 0;
  for (const line of world.written().trimEnd().split('\n')) {
    const { file, label, probabilities } = JSON.parse(line) as {
      file: string;
      label: string;
      probabilities: Record<string, number>;
    };
    const truth = path.basename(path.dirname(file));
    const row = expected[classes.indexOf(truth)] as number[];
    row[classes.indexOf(label)] = (row[classes.indexOf(label)] as number) + 1;
    logs -= Math.log(probabilities[truth] as number);
  }
  const correct = expected.reduce((sum, row, i) => sum + (row[i] as number), 0);
  assert.deepEqual([confusion, count, accuracy, badSamples], [expected, 72, correct / 72, []]);
  assert.ok(correct > 0 && correct < 72, 'both right and wrong predictions were counted');
  assert.ok(Math.abs(loss - logs / 72) < 1e-6, `loss ${loss}, from the probabilities ${logs / 72}`);
  assert.deepEqual(Object.keys(others).sort(), ['auc', 'confusedPairs', 'data', 'macroF1', 'name', 'perClass']);
});

it('writes figures, classes and confusion as text that 80 columns hold', async () => {
  const text = (await evaluate('job/out', 'file:job/images')).written();
  assert.match(
    text,
    /^samples +72\nloss +\d+\.\d{4}\naccuracy +\d+\.\d %\nmacro-F1 +0\.\d{4}\nAUC +0\.\d{4}\n\nclass +precision/,
  );
  assert.match(text, /\nconfusion: .*\ntruth +a +b +c\na = circle +[\d.]+ +[\d.]+ +[\d.]+\n/);
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
});

it('leaves out what cannot be decoded, counts it and names it', async () => {
  const world = await evaluate('job/out', 'torn', '--json');
  const { badSamples, ...figures } = JSON.parse(world.written()) as Evaluation & { data: string };
  const whole = await figuresOf('job/images');
  assert.deepEqual(
    badSamples.map(({ id }) => id),
    ['circle/100.png', 'square/100.png'],
  );
  assert.deepEqual({ ...figures, data: '', badSamples: [] }, { ...whole, data: '' });
  assert.match(
    world.complaints(),
    /^circle\/100\.png is no image that can be decoded: .+\nsquare\/100\.png is no image/,
  );
  assert.match((await evaluate('job/out', 'torn')).written(), /^samples +72, 2 unreadable left out\n/);
});

describe('refuses', () => {
  for (const [what, args, code, message] of [
    ['an OUT that is not there', ['nothing', 'job/images'], 'SourceNotFound', /nothing: does not exist/],
    ['DATA that is not there', ['job/out', 'nothing'], 'SourceNotFound', /^DATA: file:nothing does not exist/],
    [
      "classes that are not the model's",
      ['job/out', 'renamed'],
      'DataInvalid',
      /found class "squares".*is "square" meant/,
    ],
    ['a sample that is not there', ['job/out', 'gone.csv'], 'SourceNotFound', /[abc]\.png cannot be read/],
    [
      'data of which nothing can be decoded',
      ['job/out', 'all-torn'],
      'DataInvalid',
      /none of 3 samples can be decoded/,
    ],
    ['no DATA', ['job/out'], 'commander.missingArgument', /missing required argument 'data'/],
  ] as const) {
    it(what, () => assert.rejects(evaluate(...args), { code, message }));
  }
});
