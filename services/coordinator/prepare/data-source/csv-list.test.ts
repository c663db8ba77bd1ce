import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder, writeFiles } from '../../../../test/support/fixtures/temporary-folder.ts';
import { listCsv } from './csv-list.ts';
import type { ListedSample } from './sample-list.ts';

async function listed(
  context: TestContext,
  text: string,
  group?: string,
): Promise<{ folder: string; samples: ListedSample[] }> {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'set.csv': text });
  return { folder, samples: await listCsv(path.join(folder, 'set.csv'), 'spec.data.source', group) };
}

test('paths start at the CSV, absolute ones stay, and the path is the id', async (context) => {
  const { folder, samples } = await listed(context, 'path,label\nimages/1.png,cat\n/data/2.png,dog\n');
  assert.deepEqual(samples, [
    { id: 'images/1.png', file: path.join(folder, 'images/1.png'), label: 'cat' },
    { id: '/data/2.png', file: '/data/2.png', label: 'dog' },
  ]);
});

test('columns id, split and the group', async (context) => {
  const { samples } = await listed(
    context,
    'split,patient,label,id,path,other\ntest,p1,cat,one,1.png,x\ntrain,p2,dog,two,2.png,\n',
    'patient',
  );
  assert.deepEqual(
    samples.map(({ id, label, group, set }) => [id, label, group, set]),
    [
      ['one', 'cat', 'p1', 'test'],
      ['two', 'dog', 'p2', 'train'],
    ],
  );
});

test('byte order mark, CRLF, quotes, blanks and empty lines', async (context) => {
  const text = '\uFEFFpath,label\r\n"a, ""b"".png",cat\r\n\r\n  c.png , dog \r\n';
  assert.deepEqual(
    (await listed(context, text)).samples.map(({ id, label }) => [id, label]),
    [
      ['a, "b".png', 'cat'],
      ['c.png', 'dog'],
    ],
  );
});

const refused: readonly (readonly [what: string, text: string, message: RegExp, group?: string])[] = [
  ['an empty file', '', /set\.csv: found columns ; expected a column "path"/],
  ['a header alone', 'path,label\n', /^spec\.data\.source: .*set\.csv holds no row below its header$/],
  ['no label', 'path,lable\n1.png,cat\n', /found columns path, lable; expected a column "label"; is "lable" meant\?/],
  ['no group', 'path,label\n1.png,cat\n', /expected a column "patient"/, 'patient'],
  ['a column twice', 'path,label,path\n1.png,cat,2.png\n', /found the column "path" twice/],
  ['an empty label', 'path,label\n1.png,cat\n2.png,\n', /set\.csv:3: column "label" is empty/],
  ['an empty group', 'path,label,patient\n1.png,cat,\n', /set\.csv:2: column "patient" is empty/, 'patient'],
  [
    'an empty id',
    'path,label,id\n1.png,cat,x\n2.png,cat,\n',
    /set\.csv:3: column "id" is empty; expected a value in every row/,
  ],
  ['a split for some', 'path,label,split\n1.png,cat,train\n2.png,cat,\n', /set\.csv:3: column "split" is empty/],
  [
    'an unknown split',
    'path,label,split\n1.png,cat,dev\n',
    /set\.csv:2: split: found "dev"; expected train, validation, test/,
  ],
  ['one id twice', 'path,label,id\n1.png,cat,x\n\n2.png,cat,x\n', /set\.csv:4: the id "x" is also on line 2/],
  ['one file twice', 'path,label\n1.png,cat\n./1.png,cat\n', /set\.csv:3: the file ".*1\.png" is also on line 2/],
  ['a short row', 'path,label\n1.png,cat\n2.png\n', /no well-formed CSV: .*line 3/],
  ['an open quote', 'path,label\n"1.png,cat\n', /no well-formed CSV/],
  [
    'a group in two sets',
    'path,label,split,patient\n1.png,cat,train,p\n2.png,cat,test,p\n',
    /set\.csv:3: group "p" is in test here and in train above; expected one set/,
    'patient',
  ],
];

for (const [what, text, message, group] of refused) {
  test(`refused: ${what}`, async (context) => {
    await assert.rejects(listed(context, text, group), { code: 'DataInvalid', message });
  });
}

test('a CSV that is not there is refused', async (context) => {
  const folder = await temporaryFolder(context);
  await assert.rejects(listCsv(path.join(folder, 'no.csv'), 'spec.data.source', undefined), {
    code: 'SourceNotFound',
    message: /^spec\.data\.source: .*no\.csv cannot be read$/,
  });
});

test('a hundred thousand rows take a few seconds at most', async (context) => {
  const rows = Array.from({ length: 100_000 }, (_, i) => `images/${i}.png,class${i % 100}`);
  const before = performance.now();
  const { samples } = await listed(context, `path,label\n${rows.join('\n')}\n`);
  assert.equal(samples.length, 100_000);
  assert.ok(performance.now() - before < 10_000);
});
