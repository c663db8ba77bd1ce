import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { initialWeights } from '@thaw/common/model/initial-weights.ts';
import { readLayersModel } from '@thaw/common/model/layers-model.ts';
import { writeKerasArchive } from '@thaw/coordinator/export/keras/write-archive.ts';
import { readLayersModelFile } from '@thaw/coordinator/prepare/model-source/layers-model-file.ts';
import type { ModelSummary } from '@thaw/coordinator/prepare/model-summary.ts';
import { functional, kerasInput, kerasLayer } from '../../../test/support/fixtures/keras-topology.ts';
import { writeTinyModel } from '../../../test/support/fixtures/tiny-model.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { displayWidth } from '../view/display-width.ts';
import { modelCommand } from './model.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-inspect-'));
  await writeTinyModel(path.join(folder, 'tiny'));
  await writeOpenModel('open.json');
});
after(() => rm(folder, { recursive: true, force: true }));

async function inspect(...args: string[]): Promise<string> {
  const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
  await modelCommand(world).parseAsync(['inspect', ...args], { from: 'user' });
  return world.written();
}

const inspected = async (...args: string[]): Promise<ModelSummary> =>
  JSON.parse(await inspect(...args, '--json')) as ModelSummary;

/** Takes pictures of any size and has no weights. */
async function writeOpenModel(name: string): Promise<void> {
  const layers = [kerasInput([null, null, 3]), kerasLayer('MaxPooling2D', 'pool', ['input'])];
  const modelJson = { modelTopology: functional(layers), weightsManifest: [] };
  await writeFile(path.join(folder, name), JSON.stringify(modelJson));
}

describe('thaw model inspect', () => {
  it('lists blocks with what last(n) selects and where to cut, the classifier apart', async () => {
    const summary = await inspected('tiny');
    assert.deepEqual(
      summary.blocks.map(({ name, last, cut, outputShape }) => [name, last, cut, outputShape.join(' x ')]),
      [
        ['block1', 3, 'block1_relu', '12 x 12 x 8'],
        ['block2', 2, 'block2_relu', '6 x 6 x 16'],
        ['block3', 1, 'block3_conv', '6 x 6 x 16'],
      ],
    );
    const { parameters, parametersToCut, layers, blocks, cut } = summary;
    assert.equal(cut, 'block3_conv');
    assert.equal(
      parametersToCut,
      blocks.reduce((sum, block) => sum + block.parameters, 0),
    );
    const replaced = layers.filter(({ kept }) => !kept);
    assert.equal(
      parameters - parametersToCut,
      replaced.reduce((sum, layer) => sum + layer.parameters, 0),
    );
    assert.ok(parameters > parametersToCut);
  });

  it('counts blocks and parameters up to the cut that is asked for', async () => {
    const { blocks, cut } = await inspected('file:tiny/model.json', '--cut', 'block2_relu');
    assert.deepEqual([cut, blocks.map(({ name, last }) => [name, last])], ['block2_relu', [['block1', 2], ['block2', 1]]]); // biome-ignore format: one list
  });

  it('marks the layers at which the network falls into two parts', async () => {
    const { layers } = await inspected('builtin:resnet50');
    const marked = (name: string): boolean | undefined =>
      layers.find((layer) => layer.path === `backbone/${name}`)?.cutPoint;
    const names = ['pool1_pool', 'conv2_block1_1_conv', 'conv2_block1_3_bn', 'conv2_block1_out'];
    assert.deepEqual(names.map(marked), [true, false, false, true]);
  });

  it('shows a builtin without weights, and says how it wants its pixels', async () => {
    const { parameters, preprocessing, input } = await inspected('builtin:mobilenetV2');
    assert.deepEqual([parameters, preprocessing?.mean, input], [2_257_984, [1, 1, 1], { height: 224, width: 224 }]);
  });

  it('says what is likely where the source does not say how its pixels were prepared', async () => {
    const { preprocessing, likelyPreprocessing } = await inspected('tiny');
    assert.deepEqual([preprocessing, likelyPreprocessing], [null, 'Look it up where the model comes from.']);
  });

  for (const source of ['builtin:efficientnetB0', 'builtin:inceptionV3', 'example:nsfwjs-mobilenet-v2', 'tiny']) {
    it(`fits ${source} into 80 columns, layers too`, async () => {
      const text = await inspect(source, '--layers');
      for (const line of text.split('\n')) assert.ok(displayWidth(line) <= 80, line);
      const { layers, blocks } = await inspected(source);
      for (const { last } of blocks) assert.match(text, new RegExp(`^ +${last}  `, 'm'));
      assert.equal(text.split('\n').filter((line) => /^\|? +\S*(backbone|…)/.test(line)).length, layers.length);
    });
  }

  it('fetches a model from the web, says so, and keeps it by its content', async () => {
    const source = (await readLayersModelFile('tiny', folder)).topology;
    const graph = readLayersModel(source, { prefix: 'backbone' });
    const file = path.join(folder, 'served.keras');
    await writeKerasArchive(file, { graph, weights: initialWeights(graph.layers, 1), metadata: {} }, new Date(0));
    const bytes = await readFile(file);
    const server = createServer((_, response) => void response.writeHead(200, { etag: '"1"' }).end(bytes));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/served.keras`;
    try {
      const world = capturedWorld({ cwd: folder, cacheDirectory: path.join(folder, 'cache') });
      await modelCommand(world).parseAsync(['inspect', address, '--json'], { from: 'user' });
      const { origin, blocks } = JSON.parse(world.written()) as ModelSummary;
      assert.equal(origin, `the Keras model served.keras, from ${address}`);
      assert.deepEqual(blocks, (await inspected('tiny')).blocks);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      assert.equal(
        world.complaints(),
        `fetching ${address}\nwarning: ${address} is taken as it is today (its ETag is "1"); to be sure of the same bytes write #sha256=${sha256} behind it\n`,
      );
    } finally {
      server.close();
    }
  });

  it('lists layers only when asked', async () => {
    assert.match(await inspect('tiny'), /\n\d+ layers; --layers lists them\.\n$/);
    assert.doesNotMatch(await inspect('tiny'), /backbone\//);
  });

  it('takes the size of a model that leaves it open', async () => {
    const { input, layers } = await inspected('open.json', '--size', '64');
    assert.deepEqual([input, layers.at(-1)?.outputShape], [{ height: 64, width: 64 }, [32, 32, 3]]);
  });
});

describe('what thaw model inspect refuses', () => {
  const refused: readonly (readonly [args: string[], code: string, message: RegExp])[] = [
    [['missing.h5'], 'SourceNotFound', /^file:missing\.h5 does not exist \(looked at /],
    [['builtin:vgg17'], 'JobInvalid', /^found "builtin:vgg17"; expected builtin:vgg16, /],
    [['tiny', '--cut', 'block9'], 'JobInvalid', /^--cut: there is no layer "block9"; there are for example /],
    [['builtin:vgg16', '--weights', 'none.h5'], 'SourceNotFound', /^--weights: file:none\.h5 does not exist/],
    [['open.json'], 'ModelInvalid', /batch_input_shape: .*expected known sizes; set --size$/],
  ];
  for (const [args, code, message] of refused) {
    it(args.join(' '), async () => {
      await assert.rejects(inspect(...args), { code, message });
    });
  }
});
