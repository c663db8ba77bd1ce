import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { architectureOf } from '@thaw/common/model/architectures/architectures.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { initialWeights } from '@thaw/common/model/initial-weights.ts';
import { weightsFileName, writeLayersModel } from '@thaw/common/model/write-layers-model.ts';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { type ModelWeights, openBuiltinModel } from './builtin-model.ts';
import { type ModelSource, openModelSource } from './open-model-source.ts';

const inputSize = { height: 75, width: 75 };
let folder: string;
const endings: (() => Promise<void>)[] = [];

before(async () => {
  folder = await temporaryFolder({ after: (ending) => endings.push(ending) });
});
after(async () => {
  for (const ending of endings) await ending();
});

function open(name: string, weights?: ModelWeights, seed = 1): Promise<ModelSource> {
  return openBuiltinModel(name, { baseDirectory: folder, inputSize, weights, seed });
}

function graphOf(name: string, classes?: number): Graph {
  return (architectureOf(name) as NonNullable<ReturnType<typeof architectureOf>>).build({ ...inputSize, classes });
}

/** Names as `rename` gives them. */
async function writeWeights(file: string, weights: Weights, rename = (name: string): string => name): Promise<string> {
  const renamed = new Map([...weights].map(([name, tensor]) => [rename(name), tensor]));
  await writeFile(path.join(folder, file), writeSafetensors(renamed));
  return `file:${file}`;
}

test('a file’s classifier is left out, and everything else taken by name', async () => {
  const weights = initialWeights(graphOf('mobilenetV2', 10).layers, 3);
  const plain = (name: string): string => name.replace('backbone/', '');
  const source = await writeWeights('top.safetensors', weights, plain);
  const opened = await open('mobilenetV2', { source });
  assert.equal(opened.weights.has('backbone/predictions/kernel'), false);
  assert.equal(opened.weights.size, weights.size - 2);
  for (const [name, { data }] of opened.weights) assert.deepEqual(data, weights.get(name)?.data);
  assert.equal(opened.defaultCut, 'out_relu');
  assert.deepEqual(opened.warnings, undefined);
});

test('what Thaw exported is taken, the head left out', async () => {
  const weights = new Map(initialWeights(graphOf('mobilenetV2').layers, 3));
  weights.set('head/output/bias', { shape: [1], data: new Float32Array(1) });
  const opened = await open('mobilenetV2', { source: await writeWeights('thaw.safetensors', weights) });
  assert.equal(opened.weights.size, weights.size - 1);
});

test('a tfjs layers-model gives its weights', async () => {
  const graph = graphOf('resnet50');
  const weights = initialWeights(graph.layers, 3);
  const { modelJson, weightData } = writeLayersModel(graph, weights, {});
  await mkdir(path.join(folder, 'tfjs'));
  await writeFile(path.join(folder, 'tfjs', 'model.json'), JSON.stringify(modelJson));
  await writeFile(path.join(folder, 'tfjs', weightsFileName), weightData);
  assert.deepEqual([...(await open('resnet50', { source: 'file:tfjs' })).weights], [...weights]);
});

test('InceptionV3’s layers may be counted from elsewhere', async () => {
  const weights = initialWeights(graphOf('inceptionV3').layers, 3);
  const later = (name: string): string =>
    name.replace(/^backbone\/(conv2d|batch_normalization)(?:_(\d+))?\//, (_, base, count = 0) => {
      return `${base}_${Number(count) + 94}/`;
    });
  const opened = await open('inceptionV3', { source: await writeWeights('later.safetensors', weights, later) });
  for (const [name, { data }] of weights) assert.deepEqual(opened.weights.get(name)?.data, data, name);
});

test('EfficientNet with the published statistics of its input gets the Rescaling that goes with them', async () => {
  const weights = new Map(initialWeights(graphOf('efficientnetB0').layers, 3));
  const rescalings = async (file: string): Promise<number> => {
    const { graph } = await open('efficientnetB0', { source: await writeWeights(file, weights) });
    return graph.layers.filter(({ kind }) => kind === 'Rescaling').length;
  };
  assert.equal(await rescalings('own.safetensors'), 1);
  const variance = { shape: [3], data: Float32Array.of(0.229, 0.224, 0.225) };
  weights.set('backbone/normalization/variance', variance);
  assert.equal(await rescalings('published.safetensors'), 2);
});

test('random weights are drawn from the seed, warned of, and part of the digest', async () => {
  const [first, again, other] = [
    await open('mobilenetV2', { none: {} }, 1),
    await open('mobilenetV2', { none: {} }, 1),
    await open('mobilenetV2', { none: {} }, 2),
  ];
  assert.equal(first.digest, again.digest);
  assert.notEqual(first.digest, other.digest);
  assert.match(first.warnings?.join() ?? '', /^builtin:mobilenetV2 starts from random weights/);
  assert.match(first.origin, /from random weights \(seed 1\): not pretrained/);
});

async function writeTorch(file: string, names: readonly string[]): Promise<void> {
  const tensors = names.map((name) => [name, { shape: [1, 1, 1, 1], data: new Float32Array(1) }] as const);
  await writeFile(path.join(folder, file), writeSafetensors(new Map(tensors)));
}

test('weights in safetensors are no network', async () => {
  await assert.rejects(openModelSource('file:some.safetensors', { baseDirectory: folder }), {
    code: 'NotSupported',
    message:
      /found weights without a network; expected builtin:NAME as model\.source, and the file as model\.weights\.source/,
  });
});

const refused: readonly (readonly [what: string, name: string, weights: ModelWeights | undefined, message: RegExp])[] =
  [
    ['no weights', 'vgg16', undefined, /^spec\.model: found builtin:vgg16 without weights/],
    ['no such builtin', 'vgg', { none: {} }, /^spec\.model\.source: found "builtin:vgg"; expected builtin:vgg16, /],
    [
      'no such file',
      'vgg16',
      { source: 'file:no.safetensors' },
      /^spec\.model\.weights\.source: file:no\.safetensors cannot be read: ENOENT/,
    ],
    [
      'no such Keras file',
      'vgg16',
      { source: 'file:no.h5' },
      /^spec\.model\.weights\.source: file:no\.h5 does not exist/,
    ],
    ['no such folder', 'vgg16', { source: 'file:no' }, /^spec\.model\.weights\.source: file:no does not exist/],
    [
      'a pickle',
      'resnet50',
      { source: 'file:resnet50.pth' },
      /^spec\.model\.weights\.source: file:resnet50\.pth: found a PyTorch pickle, which runs code .*; expected safetensors/,
    ],
    [
      "PyTorch's names for a network whose layout is not known",
      'vgg16',
      { source: 'file:torch.safetensors' },
      /^spec\.model\.weights\.source: torch\.safetensors: found PyTorch's names \(layer1\.0\.conv3\.weight.*\) for builtin:vgg16; expected the weights of torchvision's resnet50 for builtin:resnet50, or/,
    ],
    [
      "PyTorch's names of another network",
      'resnet50',
      { source: 'file:resnet18.safetensors' },
      /^spec\.model\.weights\.source: resnet18\.safetensors: found PyTorch's names \(fc\.bias, layer1\.0\.conv1\.weight/,
    ],
    [
      'a part of what torchvision has, and more',
      'resnet50',
      { source: 'file:torch.safetensors' },
      /^spec\.model\.weights\.source: torch\.safetensors: weights do not fit .*\n.*conv1_conv is missing/,
    ],
    [
      'a weight that is no number',
      'vgg16',
      { source: 'file:nan.safetensors' },
      /^spec\.model\.weights\.source: nan\.safetensors: block1_conv1\/bias: found NaN at element 1; expected finite weights$/,
    ],
    [
      'weights of another network',
      'vgg16',
      { source: 'file:other.safetensors' },
      /^spec\.model\.weights\.source: other\.safetensors: weights do not fit .*\n.*block1_conv1 is missing/,
    ],
  ];

for (const [what, name, weights, message] of refused) {
  test(`refused: ${what}`, async () => {
    await writeTorch('torch.safetensors', ['layer1.0.conv3.weight', 'layer9.0.conv1.weight']);
    await writeTorch('resnet18.safetensors', ['layer1.0.conv1.weight', 'fc.bias']);
    await writeWeights(
      'nan.safetensors',
      new Map([['block1_conv1/bias', { shape: [2], data: Float32Array.of(0, Number.NaN) }]]),
    );
    await writeWeights('other.safetensors', initialWeights(graphOf('mobilenetV2').layers.slice(0, 3), 3));
    await assert.rejects(open(name, weights), { message });
  });
}
