import assert from 'node:assert/strict';
import { cp, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DataManifest, splitNames } from '@thaw/common/data/manifest.ts';
import { temporaryFolder, writeFiles } from '../../../../test/support/fixtures/temporary-folder.ts';
import { type DataSpec, type IndexedDataSet, indexDataSet } from './index-data-set.ts';

const byHash = { kind: 'hash', train: 0.6, validation: 0.2, test: 0.2 } as const;

function indexed(baseDirectory: string, spec: Partial<DataSpec> = {}): Promise<IndexedDataSet> {
  const whole = { source: 'file:set', split: byHash, ...spec };
  return indexDataSet(whole, { baseDirectory, cacheDirectory: path.join(baseDirectory, 'cache') });
}

/** Ten files a class whose bytes are their names. */
function classFolders(root: string, classes: readonly string[], perClass = 10): Record<string, string> {
  return Object.fromEntries(
    classes.flatMap((label) =>
      Array.from({ length: perClass }, (_, i) => [`${root}/${label}/${i}.png`, `${label} ${i}`]),
    ),
  );
}

async function folderWith(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, files);
  return folder;
}

const countsOf = ({ sets }: DataManifest): number[] => splitNames.map((name) => sets[name].ids.length);
const idsOf = ({ sets }: DataManifest): string[] => splitNames.flatMap((name) => sets[name].ids);

test('a folder becomes columns in byte order, divided class by class', async (context) => {
  const folder = await folderWith(context, classFolders('set', ['b', 'a']));
  const { manifest, root, format, dividedBy } = await indexed(folder);
  assert.deepEqual([root, format, dividedBy], [path.join(folder, 'set'), 'imageFolder', 'fractions']);
  assert.deepEqual(manifest.classes, ['a', 'b']);
  assert.deepEqual(countsOf(manifest), [12, 4, 4]);
  for (const name of splitNames) {
    const { ids, paths, labels, byteLengths } = manifest.sets[name];
    assert.deepEqual([...ids].sort(), ids);
    assert.deepEqual(paths, ids);
    assert.deepEqual(
      labels,
      ids.map((id) => manifest.classes.indexOf(id.slice(0, 1))),
    );
    assert.deepEqual(
      byteLengths,
      ids.map(() => 3),
    );
  }
});

test('the digest does not follow the place, and follows every byte, name and label', async (context) => {
  const folder = await folderWith(context, classFolders('set', ['a', 'b']));
  const { manifest } = await indexed(folder);
  await cp(path.join(folder, 'set'), path.join(folder, 'moved', 'elsewhere'), { recursive: true });
  assert.deepEqual((await indexed(folder, { source: 'file:moved/elsewhere' })).manifest, manifest);
  const digestAfter = async (change: () => Promise<unknown>): Promise<string> => {
    await change();
    return (await indexed(folder)).manifest.digest;
  };
  const seen = [
    manifest.digest,
    await digestAfter(() => writeFiles(folder, { 'set/a/3.png': 'a 4' })),
    await digestAfter(() => rename(path.join(folder, 'set/a/3.png'), path.join(folder, 'set/a/33.png'))),
    await digestAfter(() => rename(path.join(folder, 'set/a/33.png'), path.join(folder, 'set/b/33.png'))),
    (await indexed(folder, { split: { ...byHash, train: 0.4, test: 0.4 } })).manifest.digest,
  ];
  assert.equal(new Set(seen).size, seen.length);
});

test('three folders are three sets, whose ids say which', async (context) => {
  const files = {
    ...classFolders('train', ['a', 'b']),
    ...classFolders('val', ['a'], 2),
    ...classFolders('test', ['b'], 3),
  };
  const folder = await folderWith(context, files);
  const split = { kind: 'explicit', train: 'file:train', validation: 'file:val', test: 'file:test' } as const;
  const { manifest, dividedBy } = await indexed(folder, { source: 'file:.', split });
  assert.equal(dividedBy, 'folders');
  assert.deepEqual(countsOf(manifest), [20, 2, 3]);
  assert.deepEqual(manifest.sets.validation.ids, ['validation/a/0.png', 'validation/a/1.png']);
  assert.deepEqual(manifest.sets.validation.paths, ['val/a/0.png', 'val/a/1.png']);
  assert.deepEqual(manifest.sets.test.labels, [1, 1, 1]);
});

test('a sample in two sets is refused, however its folder is written', async (context) => {
  const folder = await folderWith(context, classFolders('train', ['a', 'b']));
  await symlink('train', path.join(folder, 'linked'));
  for (const validation of ['file:train/', 'file:./train', 'file:linked']) {
    const split = { kind: 'explicit', train: 'file:train', validation, test: 'file:train' } as const;
    await assert.rejects(indexed(folder, { source: 'file:.', split }), {
      code: 'DataInvalid',
      message:
        /^spec\.data\.split\.folders\.validation: .*0\.png is also in the train set; expected sets without a common sample$/,
    });
  }
});

test('three CSV files are three sets', async (context) => {
  const images = classFolders('images', ['a', 'b'], 3);
  const csv = (i: number): string => `path,label\nimages/a/${i}.png,a\nimages/b/${i}.png,b\n`;
  const folder = await folderWith(context, { ...images, '0.csv': csv(0), '1.csv': csv(1), '2.csv': csv(2) });
  const split = { kind: 'explicit', train: 'file:0.csv', validation: 'file:1.csv', test: 'file:2.csv' } as const;
  const { manifest, format, root } = await indexed(folder, { source: 'file:.', split });
  assert.deepEqual([format, root], ['csv', folder]);
  assert.deepEqual(countsOf(manifest), [2, 2, 2]);
  assert.deepEqual(manifest.sets.test.paths, ['images/a/2.png', 'images/b/2.png']);
});

const rowsOf = (rows: readonly string[]): string => `path,label,split,patient\n${rows.join('\n')}\n`;
const csvRows = (rows: readonly string[]): Record<string, string> => ({
  'set.csv': rowsOf(rows),
  ...Object.fromEntries(rows.filter((row) => !row.startsWith('.')).map((row) => [row.split(',')[0] as string, row])),
});

test('a split column decides, whatever the fractions', async (context) => {
  const rows = splitNames.flatMap((set) => ['a', 'b'].map((label) => `${set}-${label}.png,${label},${set},p`));
  const folder = await folderWith(context, csvRows(rows));
  const { manifest, dividedBy, root } = await indexed(folder, { source: 'file:set.csv' });
  assert.deepEqual([dividedBy, root], ['column', folder]);
  for (const set of splitNames) assert.deepEqual(manifest.sets[set].ids, [`${set}-a.png`, `${set}-b.png`]);
});

const explicit = { kind: 'explicit', train: 'file:train', validation: 'file:val', test: 'file:test' } as const;

const refused: readonly (readonly [
  what: string,
  files: Readonly<Record<string, string>>,
  spec: Partial<DataSpec>,
  code: string,
  message: RegExp,
])[] = [
  [
    'one class only',
    classFolders('set', ['a']),
    {},
    'DataInvalid',
    /^spec\.data\.source: .*set has one class only \("a"\); expected two or more$/,
  ],
  [
    'too few samples for a set',
    classFolders('set', ['a', 'b'], 2),
    {},
    'DataInvalid',
    /^spec\.data\.split\.test: the test set is empty \(0\.2 of 4 samples\); every set needs samples$/,
  ],
  [
    'a class that is not trained',
    { ...classFolders('train', ['a', 'b']), ...classFolders('val', ['a', 'c']), ...classFolders('test', ['b']) },
    { source: 'file:.', split: explicit },
    'DataInvalid',
    /^spec\.data\.split: found no training sample of c; expected every class in the training set$/,
  ],
  [
    'a class whose one sample falls into another set',
    { ...classFolders('set', ['a', 'b'], 20), 'set/rare/1.png': 'rare' },
    { split: { kind: 'hash', train: 0.4, validation: 0.3, test: 0.3 } },
    'DataInvalid',
    /found no training sample of rare;/,
  ],
  [
    'a set that is not there',
    classFolders('train', ['a', 'b']),
    { source: 'file:.', split: explicit },
    'SourceNotFound',
    /^spec\.data\.split\.folders\.validation: file:val does not exist \(looked at .*val\)$/,
  ],
  ['a source that is not there', {}, {}, 'SourceNotFound', /^spec\.data\.source: file:set does not exist/],
  [
    'an unknown example',
    {},
    { source: 'example:cats' },
    'SourceNotFound',
    /there is no example data set "cats"; there is mnist-digits, emoji, skin-patches/,
  ],
  [
    'a source elsewhere',
    {},
    { source: 's3:bucket' },
    'NotSupported',
    /only file:PATH and example:NAME are supported yet/,
  ],
  [
    'a group of a folder',
    classFolders('set', ['a', 'b']),
    { split: { ...byHash, group: 'patient' } },
    'DataInvalid',
    /^spec\.data\.split\.group: found "patient", but a folder of images has no columns/,
  ],
  [
    'a file that is not there',
    { 'set.csv': 'path,label\n1.png,a\n2.png,b\n3.png,a\n4.png,b\n5.png,a\n6.png,b\n' },
    { source: 'file:set.csv', split: { kind: 'hash', train: 0.5, validation: 0.25, test: 0.25 } },
    'SourceNotFound',
    /^the sample .*\.png cannot be read: ENOENT/,
  ],
  [
    'a folder among the files',
    csvRows(['1.png,a,train,p', '2.png,b,train,p', '3.png,a,validation,p', '.,b,test,p']),
    { source: 'file:set.csv' },
    'SourceNotFound',
    /^the sample .* cannot be read: EISDIR/,
  ],
];

for (const [what, files, spec, code, message] of refused) {
  test(`refused: ${what}`, async (context) => {
    const folder = await folderWith(context, files);
    await assert.rejects(indexed(folder, spec), { code, message });
  });
}

test('no group lies in two sets', async (context) => {
  const rows = Array.from({ length: 60 }, (_, i) => `${i}.png,${i % 2 ? 'a' : 'b'},patient${i % 20}`);
  const folder = await folderWith(context, {
    'set.csv': `path,label,patient\n${rows.join('\n')}\n`,
    ...Object.fromEntries(rows.map((_, i) => [`${i}.png`, `${i}`])),
  });
  const { manifest } = await indexed(folder, { source: 'file:set.csv', split: { ...byHash, group: 'patient' } });
  assert.equal(idsOf(manifest).length, 60);
  const setsOfPatient = new Map<number, Set<string>>();
  for (const set of splitNames) {
    for (const id of manifest.sets[set].ids) {
      const patient = Number.parseInt(id, 10) % 20;
      setsOfPatient.set(patient, (setsOfPatient.get(patient) ?? new Set()).add(set));
    }
  }
  assert.ok([...setsOfPatient.values()].every((sets) => sets.size === 1));
});

test('a file that is in two sets, byte for byte, is a warning', async (context) => {
  const files = classFolders('set', ['a', 'b'], 40);
  const same = Object.fromEntries(Object.keys(files).map((name) => [name, 'the same']));
  const folder = await folderWith(context, same);
  const { warnings } = await indexed(folder);
  assert.match(
    warnings.join(),
    /^32 files are in another set too, byte for byte, .*: validation .* is train a\/\d+\.png/,
  );
  assert.deepEqual((await indexed(await folderWith(context, files))).warnings, []);
});
