import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { tinyClasses, writeImages } from '../../../test/support/fixtures/tiny-images.ts';
import { aTinyJob, type Fields, writeTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { prepareJob } from './prepare-job.ts';
import type { PreparedJob } from './prepared-job.ts';

let folder: string;
const endings: (() => Promise<void>)[] = [];

before(async () => {
  folder = await temporaryFolder({ after: (ending) => endings.push(ending) });
  await writeTinyJob(folder, { images: { perClass: 20 } });
});
after(async () => {
  for (const ending of endings) await ending();
});

function prepare(
  changes: Fields = {},
  { baseDir = folder, trainers = undefined as number | undefined, hasTensorflow = true } = {},
): Promise<PreparedJob> {
  const options = {
    jobText: aTinyJob(changes),
    fileName: 'job.yaml',
    baseDir,
    cacheDirectory: path.join(os.tmpdir(), 'none'),
    hasTensorflow,
  };
  return prepareJob({ ...options, overrides: { trainers } });
}

const train = (changes: Fields): Fields => ({ spec: { train: changes } });
const model = (changes: Fields): Fields => ({ spec: { model: changes } });
const data = (changes: Fields): Fields => ({ spec: { data: changes } });
const stage = (changes: Fields): Fields =>
  train({ schedule: { stages: [{ name: 'head', trainable: ['head/**'], epochs: 1, ...changes }] } });

test('the last stage is judged by output.metric, an earlier one by what it advances on', async () => {
  const stages = [
    { name: 'head', trainable: ['head/**'], epochs: 2, advanceOn: { metric: 'accuracy' } },
    { name: 'block', trainable: ['head/**', 'last(1)'], epochs: 2, advanceOn: { metric: 'loss' } },
  ];
  const metricsOf = async (metric: string | undefined): Promise<string[]> => {
    const { plan } = await prepare({ spec: { train: { schedule: { stages } }, output: { metric } } });
    return plan.stages.map((stage) => stage.metric);
  };
  assert.deepEqual(await metricsOf('macroF1'), ['accuracy', 'macroF1']);
  assert.deepEqual(await metricsOf(undefined), ['accuracy', 'loss']);
});

test('a step that wants more samples than there are is said', async () => {
  const { plan } = await prepare({ spec: { train: { microBatch: 7 } } });
  assert.match(
    plan.warnings?.[0] ?? '',
    /^data\.shards x microBatch asks for 56 samples a step and there are 48, so an epoch of "head"/,
  );
  assert.equal((await prepare({ spec: { train: { microBatch: 6 } } })).plan.warnings, undefined);
});

test('engine wasm is said, and why auto became it', async () => {
  const warningsWith = async (engine: string, hasTensorflow: boolean): Promise<readonly string[] | undefined> =>
    (await prepare({ spec: { trainers: { engine } } }, { hasTensorflow })).plan.warnings;
  assert.equal(await warningsWith('auto', true), undefined);
  const [ofAuto = ''] = (await warningsWith('auto', false)) ?? [];
  assert.match(ofAuto, /^engine wasm, which auto became because the TensorFlow engine is not set up on this machine: /);
  assert.match(((await warningsWith('wasm', true)) ?? [])[0] ?? '', /^engine wasm: expect .* times the time/);
});

test('engine auto has the digest of the engine that it became', async () => {
  const digestWith = async (engine: string, hasTensorflow: boolean): Promise<string> =>
    (await prepare({ spec: { trainers: { engine } } }, { hasTensorflow })).jobDigest;
  const [tensorflow, wasm] = [await digestWith('tensorflow', true), await digestWith('wasm', true)];
  assert.notEqual(wasm, tensorflow);
  assert.equal(await digestWith('auto', true), tensorflow);
  assert.equal(await digestWith('auto', false), wasm);
});

test('balanced class weights follow from the training set', async () => {
  const { job, manifest } = await prepare(train({ classWeights: { balanced: {} } }));
  const { labels } = manifest.sets.train;
  const { classWeights } = job.train;
  assert.deepEqual(
    classWeights,
    tinyClasses.map((_, index) => labels.length / (3 * labels.filter((label) => label === index).length)),
  );
});

test('mixed pixels cost the feature cache, and the plan says so', async () => {
  const { plan } = await prepare(train({ mixup: {}, cutmix: { at: 'pixels' } }));
  assert.match(plan.warnings?.[0] ?? '', /^mixup and cutmix at pixels turns the feature cache of training off/);
  assert.equal((await prepare(train({ mixup: { at: 'boundary' } }))).plan.warnings, undefined);
});

test('a cut at the boundary needs height and width there', async () => {
  const cutmix = { at: 'boundary' };
  await assert.rejects(prepare(train({ cutmix })), (thrown) => {
    assert.ok(thrown instanceof ThawError && thrown.code === 'JobInvalid');
    assert.match(
      thrown.message,
      /^job\.yaml:\d+:\d+: spec\.train\.cutmix\.at: found boundary, but stage "head" trains on head\/global_average_pooling/,
    );
    return true;
  });
  const stages = [{ name: 'block', trainable: ['head/**', 'last(1)'], epochs: 1 }];
  assert.equal((await prepare(train({ cutmix, schedule: { stages } }))).stages.length, 1);
});

test('the pieces fit each other', async () => {
  const { job, graph, weights, manifest, stages, plan, dataRoot, jobDigest } = await prepare();
  const specs = graph.layers.flatMap((layer) => layer.weights);
  assert.deepEqual([...weights.keys()].sort(), specs.map(({ name }) => name).sort());
  for (const { name, shape } of specs) {
    const tensor = weights.get(name);
    assert.deepEqual(tensor?.shape, shape);
    assert.equal(
      tensor?.data.length,
      shape.reduce((product, size) => product * size, 1),
    );
  }
  assert.deepEqual(manifest.classes, tinyClasses);
  assert.equal(graph.layers.at(-1)?.outputShape.join(), '3');
  assert.equal(dataRoot, path.join(folder, 'images'));
  assert.deepEqual([plan.jobDigest, plan.shards, plan.replicas, plan.classes], [jobDigest, 8, 1, manifest.classes]);
  assert.deepEqual(plan.samples, { train: 48, validation: 6, test: 6 });
  assert.deepEqual(plan.parts, { validation: 1, test: 1 });
  assert.deepEqual(
    plan.stages,
    stages.map((one) => one.plan),
  );
  assert.deepEqual(
    job.stages,
    stages.map((one) => one.stage),
  );
});

test('a stage’s tensors, layers and partition belong together', async () => {
  const { graph, stages } = await prepare();
  const [head, both] = stages;
  assert.deepEqual(head?.layers, ['head/dense', 'head/output']);
  assert.deepEqual(both?.layers, ['backbone/block3_conv', 'head/dense', 'head/output']);
  assert.deepEqual(head?.partition.boundary, ['head/global_average_pooling']);
  assert.deepEqual(both?.partition.boundary, ['backbone/block2_relu']);
  for (const { trainable, layers, partition } of stages) {
    assert.equal(partition.prefix.length + partition.suffix.length, graph.layers.length);
    for (const layer of layers) assert.ok(partition.suffix.includes(layer));
    for (const { name } of trainable) assert.ok(layers.some((layer) => name.startsWith(`${layer}/`)));
  }
});

test('a builtin with random weights is prepared, with a warning in its plan', async () => {
  const builtin = { source: 'builtin:mobilenetV2', weights: { none: {} }, input: { preset: undefined, size: 32 } };
  const { plan, job, graph, origin } = await prepare(model(builtin));
  assert.match(plan.warnings?.join() ?? '', /^builtin:mobilenetV2 starts from random weights/);
  assert.match(origin, /not pretrained/);
  assert.deepEqual([job.model.weights, job.model.cut, job.model.preprocessing.scale], [null, 'out_relu', 1 / 127.5]);
  assert.deepEqual(graph.layers.find(({ path }) => path === 'backbone/out_relu')?.outputShape, [1, 1, 1280]);
  assert.equal((await prepare()).plan.warnings, undefined);
});

test('steps follow from samples, shards and micro-batch', async () => {
  const sizes = async (changes: Fields): Promise<unknown> =>
    (await prepare(changes)).plan.stages.map(({ stepsPerEpoch, steps }) => [stepsPerEpoch, steps]);
  // 48 samples over 8 shards are 6 a shard.
  assert.deepEqual(await sizes({}), [
    [2, 6],
    [2, 4],
  ]);
  assert.deepEqual(await sizes(stage({ microBatch: 6 })), [[1, 1]]);
  assert.deepEqual(await sizes(stage({ epochs: undefined, steps: 5 })), [[2, 5]]);
  assert.deepEqual(
    await sizes({
      spec: { data: { shards: 5 }, train: { schedule: { stages: undefined, preset: 'full', epochs: 1 } } },
    }),
    [[3, 3]],
  );
});

test('the backbone keeps the values of its file, and the head is drawn from the seed', async () => {
  const bytes = await readFile(path.join(folder, 'model', 'weights.bin'));
  const { weights } = await prepare();
  assert.equal(weights.get('backbone/block1_conv/kernel')?.data[0], bytes.readFloatLE(0));
  assert.equal(weights.get('backbone/block1_conv/kernel')?.data.at(-1), bytes.readFloatLE(215 * 4));
  assert.equal(weights.get('backbone/block1_bn/gamma')?.data[0], bytes.readFloatLE(216 * 4));
  const other = (await prepare(train({ seed: 8 }))).weights;
  assert.deepEqual(other.get('backbone/block1_conv/kernel'), weights.get('backbone/block1_conv/kernel'));
  assert.notDeepEqual(other.get('head/output/kernel'), weights.get('head/output/kernel'));
});

test('digests are the same in another folder and for another number of trainers, and follow model and data', async (context) => {
  const { jobDigest, modelDigest, manifest } = await prepare();
  const elsewhere = await temporaryFolder(context);
  await cp(folder, elsewhere, { recursive: true });
  const moved = await prepare({}, { baseDir: elsewhere, trainers: 3 });
  assert.deepEqual([moved.jobDigest, moved.modelDigest, moved.manifest], [jobDigest, modelDigest, manifest]);
  const flip = async (file: string): Promise<void> => {
    const bytes = await readFile(path.join(elsewhere, file));
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
    await writeFile(path.join(elsewhere, file), bytes);
  };
  await flip('images/circle/000.png');
  const otherData = await prepare({}, { baseDir: elsewhere });
  assert.equal(otherData.modelDigest, modelDigest);
  await flip('model/weights.bin');
  const otherModel = await prepare({}, { baseDir: elsewhere });
  const names = path.join(elsewhere, 'model', 'model.json');
  await writeFile(
    names,
    (await readFile(names, 'utf8')).replace('"strides": [\n', '"strides":[\n').replace('0.99', '0.98'),
  );
  const otherTopology = await prepare({}, { baseDir: elsewhere });
  const digests = [jobDigest, otherData.jobDigest, otherModel.jobDigest, otherTopology.jobDigest];
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(new Set([modelDigest, otherModel.modelDigest, otherTopology.modelDigest]).size, 3);
});

const refused: readonly (readonly [what: string, changes: Fields, code: ErrorCode, message: RegExp])[] = [
  [
    'no model',
    model({ source: 'file:nothing' }),
    'SourceNotFound',
    /^job\.yaml:8:13: spec\.model\.source: file:nothing does not exist \(looked at .*nothing\)$/,
  ],
  [
    'a model that is none',
    model({ source: 'file:job.yaml' }),
    'NotSupported',
    /^job\.yaml:8:13: spec\.model\.source: "job\.yaml" is not supported yet; give a tfjs layers-model/,
  ],
  [
    'a folder without a model',
    model({ source: 'file:images' }),
    'SourceNotFound',
    /^job\.yaml:8:13: spec\.model\.source: .*images: found neither model\.json nor model\/model\.json/,
  ],
  [
    'an unknown example',
    model({ source: 'example:constructor' }),
    'SourceNotFound',
    /^job\.yaml:8:13: spec\.model\.source: there is no example model "constructor"; there is nsfwjs-mobilenet-v2$/,
  ],
  [
    'no word on its pixels',
    model({ input: undefined }),
    'JobInvalid',
    /^job\.yaml:8:5: spec\.model\.input: found no preset, range, mean or std, and the model file does not carry them/,
  ],
  [
    'an unknown cut',
    model({ cut: 'block3_cnov' }),
    'JobInvalid',
    /^job\.yaml:\d+:10: spec\.model\.cut: there is no layer "block3_cnov"; there are for example block3_conv/,
  ],
  [
    'a head layer that does not fit',
    model({ head: [{ globalAveragePooling: {} }, { dense: { units: 3 } }, { globalMaxPooling: {} }] }),
    'HeadMismatch',
    /^job\.yaml:15:9: spec\.model\.head\[2\]: head\/global_max_pooling \(GlobalMaxPooling2D\): found an input of shape \[3\]; expected \[height, width, channels\]$/,
  ],
  [
    'no pooling before the output',
    model({ head: [{ dropout: { rate: 0.1 } }] }),
    'HeadMismatch',
    /^job\.yaml:12:7: spec\.model\.head: head\/output \(Dense\): found an input of shape \[6,6,16\]; expected a vector/,
  ],
  [
    'no data',
    data({ source: 'file:nothing' }),
    'SourceNotFound',
    /^job\.yaml:19:13: spec\.data\.source: file:nothing does not exist/,
  ],
  [
    'no folder of classes',
    data({ source: 'file:model' }),
    'DataInvalid',
    /^job\.yaml:19:13: spec\.data\.source: .*model: found 2 entries and no folder/,
  ],
  [
    'a set without a sample',
    data({ split: { train: 0.98, validation: 0.01, test: 0.01 } }),
    'DataInvalid',
    /^job\.yaml:22:19: spec\.data\.split\.validation: the validation set is empty \(0\.01 of 60 samples\)/,
  ],
  [
    'a group of a folder',
    data({ split: { group: 'patient' } }),
    'DataInvalid',
    /^job\.yaml:24:14: spec\.data\.split\.group: found "patient", but a folder of images has no columns/,
  ],
  [
    'a pattern that selects nothing',
    stage({ trainable: ['head/**', 'block3_*'] }),
    'JobInvalid',
    /^job\.yaml:36:15: spec\.train\.schedule\.stages\[0\]\.trainable\[1\]: trainable: "block3_\*" matches no layer/,
  ],
  [
    'more blocks than there are',
    stage({ trainable: ['last(9)'] }),
    'JobInvalid',
    /^job\.yaml:35:15: spec\.train\.schedule\.stages\[0\]\.trainable\[0\]: trainable: found "last\(9\)"; expected last\(1\) to last\(3\)/,
  ],
];

for (const [what, changes, code, message] of refused) {
  test(`refused with its place: ${what}`, async () => {
    await assert.rejects(prepare(changes), (thrown) => {
      assert.ok(thrown instanceof ThawError, String(thrown));
      assert.match(thrown.message, message);
      assert.equal(thrown.code, code);
      return true;
    });
  });
}

const oldTasks: readonly (readonly [what: string, changes: Fields, code: ErrorCode, message: RegExp])[] = [
  [
    'labels that are no classes of the source',
    { spec: { retention: { source: 'file:images' } } },
    'DataInvalid',
    /^job\.yaml:\d+:\d+: spec\.retention\.source: found the labels circle, square, stripes; expected classes of the source's classifier: 0, 1, 2, 3, 4$/,
  ],
  [
    'samples that are not there',
    { spec: { retention: { source: 'file:gone' } } },
    'SourceNotFound',
    /^job\.yaml:\d+:\d+: spec\.retention\.source: file:gone does not exist/,
  ],
  [
    'a rule without a limit',
    { spec: { retention: { source: 'file:images', onExceed: 'stop' } } },
    'JobInvalid',
    /^job\.yaml:\d+:\d+: spec\.retention\.onExceed: found stop without maxDrop; expected maxDrop beside it$/,
  ],
];

for (const [what, changes, code, message] of oldTasks) {
  test(`an old task is refused with its place: ${what}`, async () => {
    await assert.rejects(prepare(changes), { code, message });
  });
}

test('an old task joins as a set of its own, labelled by index, with the old classifier and its values', async () => {
  await writeImages(path.join(folder, 'old'), { classes: ['0', '4'], perClass: 3 });
  const [plain, watched] = [await prepare(), await prepare({ spec: { retention: { source: 'file:old' } } })];
  const { retention, ...others } = watched.manifest.sets;
  assert.deepEqual(others, plain.manifest.sets);
  assert.deepEqual(retention?.labels, [0, 0, 0, 4, 4, 4]);
  assert.notEqual(watched.manifest.digest, plain.manifest.digest);
  assert.equal(watched.oldGraph?.output, 'backbone/predictions');
  const added = [...watched.weights.keys()].filter((name) => !plain.weights.has(name));
  assert.deepEqual(added, ['backbone/predictions/kernel', 'backbone/predictions/bias']);
  assert.deepEqual(watched.plan.retention, { classes: 5, maxDrop: null, onExceed: 'stop' });
  assert.deepEqual([watched.plan.samples.retention, watched.plan.parts.retention], [6, 1]);
  assert.ok(!('retention' in plain.plan) && !('oldGraph' in plain));
});

test('more trainers than shards are refused', async () => {
  await assert.rejects(prepare({}, { trainers: 9 }), {
    code: 'JobInvalid',
    message:
      /^--trainers: found 9 trainers for 8 shards; expected at most data\.shards \(job\.yaml:24:13: spec\.data\.shards\)/,
  });
});

const broken: readonly (readonly [
  what: string,
  change: (folder: string) => Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
])[] = [
  [
    'weights are missing',
    (at) => rm(path.join(at, 'weights.bin')),
    'SourceNotFound',
    /the model's weight file .*weights\.bin cannot be read: ENOENT/,
  ],
  [
    'weights are cut',
    async (at) =>
      writeFile(path.join(at, 'weights.bin'), (await readFile(path.join(at, 'weights.bin'))).subarray(0, 1000)),
    'ModelInvalid',
    /weights\.bin is truncated: block2_conv\/kernel ends at byte 5600, the file has 1000$/,
  ],
  [
    'model.json is cut',
    (at) => writeFile(path.join(at, 'model.json'), '{"modelTopology":'),
    'ModelInvalid',
    /model\.json is no whole JSON/,
  ],
  [
    'model.json is null',
    (at) => writeFile(path.join(at, 'model.json'), 'null'),
    'ModelInvalid',
    /found no modelTopology and weightsManifest/,
  ],
  [
    'the manifest is malformed',
    (at) =>
      writeFile(path.join(at, 'model.json'), '{"modelTopology":{},"weightsManifest":[{"paths":[7],"weights":[]}]}'),
    'ModelInvalid',
    /found no modelTopology and weightsManifest \(groups of paths and weights\)/,
  ],
  [
    'it is a graph-model',
    (at) => writeFile(path.join(at, 'model.json'), '{"format":"graph-model","modelTopology":{},"weightsManifest":[]}'),
    'NotSupported',
    /found a tfjs graph-model, which cannot be trained; expected a layers-model/,
  ],
  [
    'a weight file lies elsewhere',
    (at) => replaceIn(path.join(at, 'model.json'), '"weights.bin"', '"../../weights.bin"'),
    'ModelInvalid',
    /weight file "\.\.\/\.\.\/weights\.bin" lies outside of the model's folder/,
  ],
  [
    'a layer is unknown',
    (at) => replaceIn(path.join(at, 'model.json'), '"class_name": "ReLU"', '"class_name": "Lambda"'),
    'ModelInvalid',
    /backbone\/block1_relu: layer class "Lambda" is not supported/,
  ],
  [
    'a weight is missing',
    (at) => replaceIn(path.join(at, 'model.json'), '"name": "block1_conv/kernel"', '"name": "other/kernel"'),
    'ModelInvalid',
    /weights do not fit the layers:\n {2}backbone\/block1_conv\/kernel is missing\n {2}other\/kernel belongs to no layer/,
  ],
  [
    'its size is open',
    (at) => replaceIn(path.join(at, 'model.json'), /null,\s+24,\s+24,\s+3/, 'null,null,null,3'),
    'ModelInvalid',
    /found \[null,null,null,3\]; expected known sizes; set model\.input\.size/,
  ],
];

async function replaceIn(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  assert.ok(text.search(from) >= 0, 'the case changes the file');
  await writeFile(file, text.replace(from, to));
}

for (const [what, change, code, message] of broken) {
  test(`a model is refused with the place of its source when ${what}`, async (context) => {
    const at = await temporaryFolder(context);
    await cp(folder, at, { recursive: true });
    await change(path.join(at, 'model'));
    await assert.rejects(prepare({}, { baseDir: at }), (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === code, String(thrown));
      assert.match(thrown.message, message);
      assert.match(thrown.message, /^job\.yaml:8:13: spec\.model\.source: /);
      return true;
    });
  });
}

test('an open size is filled by the job', async (context) => {
  const at = await temporaryFolder(context);
  await cp(folder, at, { recursive: true });
  await replaceIn(path.join(at, 'model', 'model.json'), /null,\s+24,\s+24,\s+3/, 'null,null,null,3');
  const { graph } = await prepare(model({ input: { size: 32 } }), { baseDir: at });
  assert.deepEqual(graph.layers[0]?.outputShape, [32, 32, 3]);
});

test('fractions beside a split column are refused, alone the column decides', async (context) => {
  const at = await temporaryFolder(context);
  await cp(folder, at, { recursive: true });
  const rows = ['train', 'validation', 'test'].flatMap((set, i) =>
    tinyClasses.map((label) => `images/${label}/00${i}.png,${label},${set}`),
  );
  await writeFile(path.join(at, 'set.csv'), `path,label,split\n${rows.join('\n')}\n`);
  const source = 'file:set.csv';
  await assert.rejects(prepare(data({ source }), { baseDir: at }), {
    code: 'JobInvalid',
    message: /^job\.yaml:21:7: spec\.data\.split: found fractions, but the CSV has a column "split"/,
  });
  const { plan, dataRoot } = await prepare(data({ source, split: undefined }), { baseDir: at });
  assert.deepEqual(plan.samples, { train: 3, validation: 3, test: 3 });
  assert.equal(dataRoot, at);
});
