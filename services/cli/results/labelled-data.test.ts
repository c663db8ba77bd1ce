import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readLabelledData } from './labelled-data.ts';

let folder = '';
const options = (labels: readonly string[]) => ({ cwd: folder, cacheDirectory: path.join(folder, 'cache'), labels });

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-data-'));
  for (const file of ['images/dog/b.png', 'images/cat/a.png', 'images/cat/sub/c.JPG', 'images/cat/notes.txt']) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), '');
  }
  await writeFile(
    path.join(folder, 'list.csv'),
    'path,label,split\nimages/dog/b.png,dog,train\nimages/cat/a.png,cat,test\n',
  );
});
after(() => rm(folder, { recursive: true, force: true }));

const inFolder = [
  ['cat/a.png', 0],
  ['cat/sub/c.JPG', 0],
  ['dog/b.png', 1],
] as const;
const inCsv = [
  ['images/cat/a.png', 0],
  ['images/dog/b.png', 1],
] as const;

for (const [data, expected] of [
  ['images', inFolder],
  ['./images', inFolder],
  ['file:images', inFolder],
  ['list.csv', inCsv],
  ['file:list.csv', inCsv],
] as const) {
  it(`lists every sample of ${data}, by id, with the model's labels`, async () => {
    const { ids, files, labels } = await readLabelledData(data, options(['cat', 'dog']));
    assert.deepEqual(
      ids.map((id, i) => [id, labels[i]]),
      expected,
    );
    assert.ok(
      files.every((file, i) => file === path.join(folder, data.endsWith('.csv') ? '' : 'images', ids[i] as string)),
    );
  });
}

it('takes an absolute path', async () => {
  const { ids } = await readLabelledData(path.join(folder, 'images'), options(['cat', 'dog']));
  assert.equal(ids.length, 3);
});

it('takes data in which a class of the model does not occur', async () => {
  const { labels } = await readLabelledData('images', options(['cat', 'emu', 'dog']));
  assert.deepEqual(labels, [0, 0, 2]);
});

describe('refuses', () => {
  for (const [what, data, labels, code, message] of [
    [
      'an unknown class',
      'images',
      ['cat', 'emu', 'dog', 'x'].slice(0, 1),
      'DataInvalid',
      /found class "dog", which the model does not know; expected samples of its class "cat"/,
    ],
    [
      'a misspelt class',
      'images',
      ['cat', 'dogs'],
      'DataInvalid',
      /found class "dog", which the model does not know \(is "dogs" meant by "dog"\?\); expected/,
    ],
    [
      'a place that is not there',
      'gone',
      ['cat'],
      'SourceNotFound',
      /^DATA: file:gone does not exist \(looked at .*gone\)/,
    ],
    ['a source of another kind', 's3://bucket/x', ['cat'], 'NotSupported', /^DATA: found "s3:\/\/bucket\/x"/],
    ['an unknown example', 'example:cats', ['cat'], 'SourceNotFound', /^DATA: there is no example data set "cats"/],
    [
      'a file that is no CSV',
      'images/cat/a.png',
      ['cat'],
      'SourceNotFound',
      /^DATA: the folder .*a\.png cannot be read/,
    ],
  ] as const) {
    it(what, () => assert.rejects(readLabelledData(data, options(labels)), { code, message }));
  }
});
