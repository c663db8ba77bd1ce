import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { File } from 'h5wasm';
import {
  type Floats,
  floats,
  groupAt,
  hdf5Bytes,
  putArray,
  putLegacyLayer,
  putTexts,
  type Write,
} from '../../../../test/support/fixtures/hdf5-bytes.ts';
import {
  convolution,
  functional,
  type KerasLayer,
  kerasInput,
  kerasLayer,
} from '../../../../test/support/fixtures/keras-topology.ts';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { type ZipEntry, zipBytes } from '../../../../test/support/fixtures/zip-bytes.ts';
import { readKerasWeights } from './keras-file.ts';
import { openModelSource } from './open-model-source.ts';

const topology = functional([kerasInput(), convolution('conv', ['input']), convolution('last', ['conv'])]);
const first = { 'conv/kernel:0': floats([3, 3, 3, 4], 0.25), 'conv/bias:0': floats([4]) };
const last = { 'last/kernel:0': floats([3, 3, 4, 4]), 'last/bias:0': floats([4]) };
type Layers = Readonly<Record<string, Readonly<Record<string, Floats>>>>;

/** A whole model in the older layout. */
function legacy(layers: Layers = { conv: first, last }, model: KerasLayer = topology): Write {
  return (file) => {
    file.create_attribute('model_config', JSON.stringify(model));
    const weights = file.create_group('model_weights');
    putTexts(weights, 'layer_names', ['input', ...Object.keys(layers)]);
    for (const [name, arrays] of Object.entries({ input: {}, ...layers })) putLegacyLayer(weights, name, arrays);
  };
}

const changed = (arrays: Readonly<Record<string, Floats>>): Write => legacy({ conv: { ...first, ...arrays }, last });

/** A group of Keras 3 per layer, below `layers`. */
const keras3: Write = (file) => {
  file.create_group('layers');
  for (const [group, name, arrays] of [
    ['conv2d', 'conv', Object.values(first)],
    ['conv2d_1', 'last', Object.values(last)],
  ] as const) {
    file.create_group(`layers/${group}`);
    const vars = file.create_group(`layers/${group}/vars`);
    vars.create_attribute('name', name);
    for (const [i, array] of arrays.entries()) putArray(vars, String(i), array);
  }
};

async function archive(change: (entries: readonly ZipEntry[]) => readonly ZipEntry[] = (same) => same) {
  return zipBytes(
    change([
      { name: 'metadata.json', content: '{"keras_version": "3.0.0"}' },
      { name: 'config.json', content: JSON.stringify(topology), deflate: true },
      { name: 'model.weights.h5', content: await hdf5Bytes(keras3) },
    ]),
  );
}
const saying = (name: string, said: Partial<ZipEntry>): Promise<Uint8Array> =>
  archive((entries) => entries.map((entry) => (entry.name === name ? { ...entry, ...said } : entry)));
const withEntries = (...more: ZipEntry[]): Promise<Uint8Array> => archive((entries) => [...entries, ...more]);

/** A file of a few kilobytes that declares 4 TB. */
const vast: Write = (file) => {
  legacy()(file);
  const group = groupAt(file, 'model_weights/conv/conv');
  group.create_dataset({
    name: 'vast',
    data: new Float32Array(4),
    shape: [2, 2],
    maxshape: [null, null],
    chunks: [2, 2],
  });
  const dataset = group.get('vast');
  assert.ok(dataset && 'resize' in dataset);
  dataset.resize([1_000_000, 1_000_000]);
  const conv = groupAt(file, 'model_weights/conv');
  conv.delete_attribute('weight_names');
  putTexts(conv, 'weight_names', ['conv/vast']);
};

function linked(link: (file: File) => void): Write {
  return (file) => {
    legacy({ conv: first })(file);
    const weights = groupAt(file, 'model_weights');
    weights.delete_attribute('layer_names');
    putTexts(weights, 'layer_names', ['conv', 'last']);
    link(file);
  };
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const nan = new Float32Array(4).fill(0.5);
nan[2] = Number.NaN;

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

const refused: readonly (readonly [what: string, bytes: () => Promise<Uint8Array>, message: RegExp])[] = [
  ['an empty file', async () => bytesOf(''), /^m\.h5 is no whole HDF5 file: /],
  ['a text', async () => bytesOf('a'.repeat(5000)), /^m\.h5 is no whole HDF5 file: .*signature/],
  [
    'a file that ends early',
    async () => (await hdf5Bytes(legacy())).slice(0, -100),
    /^m\.h5 is no whole HDF5 file: truncated file: /,
  ],
  [
    'a file whose middle is gone',
    async () => (await hdf5Bytes(legacy())).fill(0, 1000, 3000),
    /^m\.h5 is no whole HDF5 file: /,
  ],
  [
    'something else in HDF5',
    () => hdf5Bytes((file) => putArray(file, 'x', floats([2]))),
    /^m\.h5: found neither layer_names nor a group "layers"; expected a Keras model or its weights$/,
  ],
  [
    'weights without a network',
    () => hdf5Bytes(keras3),
    /m\.h5 holds weights without the network that they belong to; expected a whole model, as model\.save\(\) writes it$/,
  ],
  [
    'a config that is no JSON',
    () => hdf5Bytes((file) => file.create_attribute('model_config', '{"class_name": ')),
    /^m\.h5: model_config is no whole JSON: /,
  ],
  [
    'a config that is nested without end',
    () => hdf5Bytes((file) => file.create_attribute('model_config', nested(100_000))),
    /^m\.h5: model_config: found JSON nested 200 deep; expected less$/,
  ],
  [
    'a layer that is listed only',
    () => hdf5Bytes(linked(() => undefined)),
    /^m\.h5: layer_names lists "last", but there is no such group$/,
  ],
  [
    'a layer in another file',
    () => hdf5Bytes(linked((file) => file.create_external_link('/etc/passwd', 'x', 'model_weights/last'))),
    /^m\.h5: model_weights\/last: found a link into the file \/etc\/passwd; expected a group$/,
  ],
  [
    'a link that leads nowhere',
    () => hdf5Bytes(linked((file) => file.create_soft_link('/gone', 'model_weights/last'))),
    /^m\.h5: model_weights\/last: found a link that leads nowhere; expected a group$/,
  ],
  [
    'a list of numbers for names',
    () => hdf5Bytes((file) => file.create_attribute('layer_names', new Int32Array([1]))),
    /^m\.h5: layer_names: found an attribute that is no text; expected text$/,
  ],
  [
    'an array in 64 bits',
    () => hdf5Bytes(changed({ 'conv/bias:0': [[4], new Float64Array(4)] })),
    /^m\.h5: model_weights\/conv\/conv\/bias:0: found type <d; expected float32 \(<f\)$/,
  ],
  [
    'an array of whole numbers',
    () => hdf5Bytes(changed({ 'conv/bias:0': [[4], new Int32Array(4)] })),
    /conv\/bias:0: found type <i; expected float32/,
  ],
  [
    'a weight that is no number',
    () => hdf5Bytes(changed({ 'conv/bias:0': [[4], nan] })),
    /^m\.h5: model_weights\/conv\/conv\/bias:0: found NaN at element 2; expected finite weights$/,
  ],
  [
    'an infinite weight',
    () => hdf5Bytes(changed({ 'conv/bias:0': floats([4], Number.NEGATIVE_INFINITY) })),
    /conv\/bias:0: found -Infinity at element 0; expected finite weights$/,
  ],
  [
    'an array larger than the file',
    () => hdf5Bytes(vast),
    /conv\/vast: found shape \[1000000,1000000\], 4000000000000 bytes; expected what the file can hold$/,
  ],
  [
    'a layer class that nobody knows',
    () => hdf5Bytes(legacy({}, functional([kerasInput(), kerasLayer('Lambda', 'magic', ['input'])]))),
    /^backbone\/magic: layer class "Lambda" is not supported; known classes: InputLayer, /,
  ],
  [
    'weights that are missing, surplus or misshapen',
    () => hdf5Bytes(legacy({ conv: { ...first, 'conv/bias:0': floats([5]) }, other: first })),
    /^m\.h5: weights do not fit the layers:\n {2}backbone\/conv\/bias: found shape \[5\]; expected \[4\]\n {2}backbone\/last is missing \(kernel, bias\)\n {2}other\/conv belongs to no layer$/,
  ],
  ['an archive that ends early', async () => (await archive()).slice(0, -30), /^m\.h5 is no sound zip archive: /],
  [
    'an archive without weights',
    () => archive((entries) => entries.slice(0, 2)),
    /^m\.h5: found metadata\.json, config\.json; expected model\.weights\.h5 in a \.keras archive$/,
  ],
  ['an archive without a config', () => archive(([one]) => (one ? [one] : [])), /expected config\.json/],
  [
    'a config that is cut off',
    () => saying('config.json', { content: '{"class_name": ' }),
    /^m\.h5: config\.json is no whole JSON: /,
  ],
  [
    'a config in an archive that is nested without end',
    () => saying('config.json', { content: nested(100_000), deflate: false }),
    /^m\.h5: config\.json: found JSON nested 200 deep; expected less$/,
  ],
  [
    'a function that Keras 3 computes otherwise',
    () => saying('config.json', { content: JSON.stringify(topology).replace('{', '{"activation":"hard_sigmoid",') }),
    /^m\.h5: found the activation hard_sigmoid of Keras 3\.0\.0, which is another function than that of Keras 2; expected/,
  ],
  [
    'an entry twice',
    () => withEntries({ name: 'config.json', content: '{}' }),
    /^m\.h5: found two entries called config\.json; expected one$/,
  ],
  [
    'a name that leads out of the archive',
    () => withEntries({ name: '../../evil', content: '' }),
    /^m\.h5 is no sound zip archive: invalid relative path: \.\.\/\.\.\/evil$/,
  ],
  ['an absolute name', () => withEntries({ name: '/etc/evil', content: '' }), /absolute path: \/etc\/evil$/],
  [
    'a bomb',
    () => withEntries({ name: 'assets/bomb', content: new Uint8Array(1_000_000), deflate: true }),
    /^m\.h5: assets\/bomb: found 1000000 bytes packed into \d+; expected at most 200 times as many$/,
  ],
  [
    'an entry longer than it says',
    () => saying('config.json', { said: { unpackedBytes: 100 } }),
    /^m\.h5 is no sound zip archive: too many bytes in the stream/,
  ],
  [
    'a wrong checksum of packed text',
    () => saying('config.json', { said: { crc: 1 } }),
    /^m\.h5: config\.json: found checksum \d+; expected 1$/,
  ],
  [
    'a wrong checksum of the weights',
    () => saying('model.weights.h5', { said: { crc: 1 } }),
    /^m\.h5: model\.weights\.h5: found checksum \d+; expected 1$/,
  ],
  [
    'an encrypted entry',
    () => saying('config.json', { said: { flags: 0x801 } }),
    /^m\.h5: config\.json: found an encrypted entry or an unknown packing; expected stored or deflated$/,
  ],
  [
    'too many entries',
    () => withEntries(...Array.from({ length: 1000 }, (_, i) => ({ name: `assets/${i}`, content: '' }))),
    /^m\.h5: found 1003 entries; expected at most 1000$/,
  ],
  [
    'weights that are no HDF5',
    () => saying('model.weights.h5', { content: 'weights' }),
    /^m\.h5 is no whole HDF5 file: /,
  ],
];

for (const [what, bytes, message] of refused) {
  test(`refused: ${what}`, async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(path.join(folder, 'm.h5'), await bytes());
    await assert.rejects(openModelSource('file:m.h5', { baseDirectory: folder }), (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === 'ModelInvalid', String(thrown));
      assert.match(thrown.message, message);
      return true;
    });
  });
}

test('a file that is not there, or a folder, is said as such', async (context) => {
  const baseDirectory = await temporaryFolder(context);
  const notFound = { code: 'SourceNotFound', message: /file:gone\.keras does not exist \(looked at / };
  await assert.rejects(openModelSource('file:gone.keras', { baseDirectory }), notFound);
  const folder = { code: 'SourceNotFound', message: /is no file/ };
  await assert.rejects(readKerasWeights(baseDirectory), folder);
});

const whole: readonly (readonly [what: string, bytes: () => Promise<Uint8Array>])[] = [
  ['the older layout', () => hdf5Bytes(legacy())],
  [
    'the older layout, its arrays in another order',
    () =>
      hdf5Bytes(
        legacy({ last, conv: { 'conv/bias:0': first['conv/bias:0'], 'conv/kernel:0': first['conv/kernel:0'] } }),
      ),
  ],
  ['an archive', () => archive()],
  ['an archive with packed weights', () => saying('model.weights.h5', { deflate: true })],
  [
    'names as Keras 1 wrote them',
    () =>
      hdf5Bytes(
        legacy({
          conv: { 'conv_W_1:0': first['conv/kernel:0'], 'conv_b_1:0': first['conv/bias:0'] },
          last: { 'last_W_1:0': last['last/kernel:0'], 'last_b_1:0': last['last/bias:0'] },
        }),
      ),
  ],
  [
    'lists too long for one attribute',
    () =>
      hdf5Bytes((file) => {
        legacy()(file);
        const weights = groupAt(file, 'model_weights');
        weights.delete_attribute('layer_names');
        putTexts(weights, 'layer_names0', ['conv']);
        putTexts(weights, 'layer_names1', ['last']);
      }),
  ],
];

for (const [what, bytes] of whole) {
  test(`read: ${what}`, async (context) => {
    const folder = await temporaryFolder(context);
    const content = await bytes();
    await writeFile(path.join(folder, 'm.h5'), content);
    const { weights, graph, digest } = await openModelSource('file:m.h5', { baseDirectory: folder });
    assert.deepEqual(
      [...weights].map(([name, { data, shape }]) => [name, data[0], shape]),
      [
        ['backbone/conv/kernel', 0.25, [3, 3, 3, 4]],
        ['backbone/conv/bias', 0.5, [4]],
        ['backbone/last/kernel', 0.5, [3, 3, 4, 4]],
        ['backbone/last/bias', 0.5, [4]],
      ],
    );
    assert.equal(graph.output, 'backbone/last');
    const { layers } = await readKerasWeights(path.join(folder, 'm.h5'));
    assert.deepEqual(layers.map(({ name }) => name).sort(), ['conv', 'last']);
    await writeFile(path.join(folder, 'other.h5'), await hdf5Bytes(changed({ 'conv/bias:0': floats([4], 0.75) })));
    const [again, other] = await Promise.all(
      ['file:m.h5', 'file:other.h5'].map((source) => openModelSource(source, { baseDirectory: folder })),
    );
    assert.equal(again?.digest, digest);
    assert.notEqual(other?.digest, digest);
  });
}
