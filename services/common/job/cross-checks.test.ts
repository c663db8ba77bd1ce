import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aTinyJob, type Fields } from '../../../test/support/fixtures/tiny-job.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { parseJobFile } from './parse.ts';

const head = { name: 'head', trainable: ['head/**'], epochs: 1 };

const trainers = (changes: Fields): Fields => ({ spec: { trainers: changes } });
const split = (changes: Fields): Fields => ({ spec: { data: { split: changes } } });
const fractionsGone = { train: undefined, validation: undefined, test: undefined };
const folders = { train: 'file:a', validation: 'file:b', test: 'file:c' };
const augment = (...list: Fields[]): Fields => ({ spec: { data: { augment: list } } });
const stages = (...list: Fields[]): Fields => ({ spec: { train: { schedule: { stages: list } } } });
const schedule = (changes: Fields): Fields => ({ spec: { train: { schedule: changes } } });
const builtin = (name: string, changes: Fields = {}): Fields => ({
  spec: { model: { source: `builtin:${name}`, weights: { none: {} }, ...changes } },
});
const input = (changes: Fields): Fields => ({ spec: { model: { input: { preset: undefined, ...changes } } } });

const refused: readonly (readonly [what: string, changes: Fields, message: string])[] = [
  [
    'fewer replicas than min',
    trainers({ min: 2 }),
    'spec.trainers.replicas: found 1; expected at least trainers.min, which is 2',
  ],
  [
    'more replicas than max',
    trainers({ replicas: 5 }),
    'spec.trainers.replicas: found 5; expected at most trainers.max, which is 4',
  ],
  [
    'a max above the shards',
    trainers({ max: 9 }),
    'spec.trainers.max: found 9 trainers for 8 shards; expected at most data.shards, because a trainer computes whole shards',
  ],
  [
    'replicas above the shards',
    trainers({ replicas: 9, max: undefined }),
    'spec.trainers.replicas: found 9 trainers for 8 shards; expected at most data.shards, because a trainer computes whole shards',
  ],
  ...(['wasm', 'cpu'] as const).flatMap((engine) => [
    [
      `several threads of ${engine}`,
      trainers({ engine, threads: 2 }),
      `spec.trainers.threads: found 2 with engine ${engine}, which computes on one thread; expected 1`,
    ] as const,
    [
      `a GPU for ${engine}`,
      trainers({ engine, gpus: 1 }),
      `spec.trainers.gpus: found 1 with engine ${engine}, which uses no GPU; expected 0`,
    ] as const,
  ]),
  [
    'some fractions',
    split({ test: undefined }),
    'spec.data.split: found only some of train, validation and test; expected all three',
  ],
  [
    'fractions of another sum',
    split({ train: 0.5 }),
    'spec.data.split: found fractions that add up to 0.7; expected 1',
  ],
  [
    'no validation',
    split({ train: 0.9, validation: 0 }),
    'spec.data.split.validation: found 0; expected more than 0, because every set needs samples',
  ],
  [
    'no test',
    split({ train: 0.9, test: 0 }),
    'spec.data.split.test: found 0; expected more than 0, because every set needs samples',
  ],
  [
    'fractions beside folders',
    split({ folders }),
    'spec.data.split: found fractions and folders; expected one of the two',
  ],
  [
    'a group beside folders',
    split({ ...fractionsGone, folders, group: 'patient' }),
    'spec.data.split.group: found "patient" beside folders, which divide the samples already; expected no group',
  ],
  [
    'one folder for two sets',
    split({ ...fractionsGone, folders: { ...folders, test: 'file:b' } }),
    'spec.data.split.folders.test: found the source of validation again; expected samples of its own',
  ],
  [
    'views without augment',
    { spec: { data: { views: 2 } } },
    'spec.data.views: found 2 without augment; every view would be the same, expected 1',
  ],
  [
    'a crop of a falling area',
    augment({ crop: { area: [0.9, 0.5] } }),
    'spec.data.augment[0].crop.area: found 0.9 before 0.5; expected the smaller first',
  ],
  [
    'a crop of a falling aspect',
    augment({ flip: {} }, { crop: { aspect: [2, 1] } }),
    'spec.data.augment[1].crop.aspect: found 2 before 1; expected the smaller first',
  ],
  [
    'a crop larger than the picture',
    augment({ crop: { area: [0.5, 1.5] } }),
    'spec.data.augment[0].crop.area[1]: found 1.5; expected at most 1',
  ],
  [
    'two crops',
    augment({ crop: {} }, { flip: {} }, { crop: {} }),
    'spec.data.augment[2]: found a second crop; expected at most one',
  ],
  [
    'neither preset nor stages',
    schedule({ stages: undefined }),
    'spec.train.schedule: found neither of preset and stages; expected exactly one',
  ],
  [
    'preset and stages',
    schedule({ preset: 'full' }),
    'spec.train.schedule: found both of preset and stages; expected exactly one',
  ],
  [
    'epochs beside stages',
    schedule({ epochs: 3 }),
    'spec.train.schedule.epochs: belongs to a preset; give each stage its own epochs',
  ],
  [
    'ranked blocks in the first stage',
    stages({ ...head, trainable: ['head/**', 'ranked(1)'] }),
    'spec.train.schedule.stages[0].trainable[1]: found ranked(1) in the first stage; expected a stage before it, with whose weights blocks are measured',
  ],
  [
    'ranked blocks whose statistics would move',
    stages(head, { ...head, name: 'blocks', trainable: ['ranked(2)'], batchNorm: 'train' }),
    'spec.train.schedule.stages[1].batchNorm: found train beside ranked(2); expected frozen, because the layers are not known before they are measured',
  ],
  [
    'a stage without a length',
    stages({ ...head, epochs: undefined }),
    'spec.train.schedule.stages[0]: found neither of epochs and steps; expected exactly one',
  ],
  [
    'a stage with two lengths',
    stages({ ...head, steps: 3 }),
    'spec.train.schedule.stages[0]: found both of epochs and steps; expected exactly one',
  ],
  ['a name twice', stages(head, head), 'spec.train.schedule.stages[1].name: found "head" twice; names are unique'],
  [
    'a temperature without a softmax',
    { spec: { train: { loss: { binaryCrossEntropy: {} } }, output: { calibrate: 'temperature' } } },
    'spec.output.calibrate: found temperature with the loss binaryCrossEntropy; expected none, because its probabilities come from no softmax',
  ],
  [
    'an accuracy that should fall',
    stages({ ...head, advanceOn: { metric: 'accuracy', mode: 'min' } }),
    'spec.train.schedule.stages[0].advanceOn.mode: found min for accuracy; expected max, because a larger accuracy is better',
  ],
  [
    'restoring before anything was stored',
    stages({ ...head, onEnter: 'restoreBest' }),
    'spec.train.schedule.stages[0].onEnter: found restoreBest in the first stage; expected continue, because there is no stage before it',
  ],
  ...(['oneCycle', 'slantedTriangular'] as const).map((curve): (typeof refused)[number] => [
    `warming up twice with ${curve}`,
    stages({ ...head, warmup: 3, curve }),
    `spec.train.schedule.stages[0].warmup: found 3 with the curve ${curve}, which warms up itself; expected 0, or another curve`,
  ]),
  [
    'preset and values',
    input({ preset: 'unit', mean: [0, 0, 0] }),
    'spec.model.input.preset: found a preset beside range, mean, std or channels; expected one way',
  ],
  [
    'size and height',
    input({ preset: 'unit', size: 32, height: 32, width: 32 }),
    'spec.model.input.size: found size beside height or width; expected one way',
  ],
  [
    'height alone',
    input({ preset: 'unit', height: 32 }),
    'spec.model.input: found only one of height and width; expected both',
  ],
  [
    'a falling range',
    input({ range: [1, -1] }),
    'spec.model.input.range: found 1 to -1; expected the value of byte 0, then a larger one for byte 255',
  ],
  ['a deviation of zero', input({ std: [1, 0, 1] }), 'spec.model.input.std[1]: found 0; expected more than 0'],
  [
    'a builtin without weights',
    builtin('vgg16', { weights: undefined }),
    'spec.model: found builtin:vgg16 without weights, and none come with Thaw; expected weights: {source: file:PATH} ' +
      'with a Keras, safetensors or tfjs file, or weights: {none: {}} to start from random ones',
  ],
  [
    'two kinds of weights',
    builtin('vgg16', { weights: { none: {}, source: 'file:vgg16.h5' } }),
    'spec.model.weights: found source and none; expected exactly one of source, none',
  ],
  [
    'a builtin that there is not',
    builtin('vgg18'),
    'spec.model.source: found "builtin:vgg18"; expected builtin:vgg16, builtin:vgg19, builtin:resnet50, ' +
      'builtin:inceptionV3, builtin:mobilenetV2, builtin:efficientnetB0 (did you mean "builtin:vgg16"?)',
  ],
  [
    'a picture too small for a builtin',
    builtin('inceptionV3', { input: { size: 74 } }),
    'spec.model.input.size: found 74; expected at least 75, the smallest picture of builtin:inceptionV3',
  ],
  [
    'weights for a model that has its own',
    { spec: { model: { weights: { none: {} } } } },
    'spec.model.weights: found weights beside file:model, which has its own; expected none, or source: builtin:NAME',
  ],
  [
    'dropping everything',
    { spec: { model: { head: [{ globalAveragePooling: {} }, { dropout: { rate: 1 } }] } } },
    'spec.model.head[1].dropout.rate: found 1; expected less than 1',
  ],
];

for (const [what, changes, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parseJobFile(aTinyJob(changes), 'job.yaml'),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'JobInvalid');
        assert.match(thrown.message, /^job\.yaml:\d+:\d+: /);
        assert.equal(thrown.message.replace(/^job\.yaml:\d+:\d+: /, ''), message);
        return true;
      },
    );
  });
}

const accepted: readonly (readonly [what: string, changes: Fields])[] = [
  ['fractions whose sum is rounded', split({ train: 0.7, validation: 0.2, test: 0.1 })],
  ['folders alone', split({ ...fractionsGone, folders })],
  ['as many trainers as shards', trainers({ replicas: 8, max: 8 })],
  ['a crop of one size, after a flip', augment({ flip: {} }, { crop: { area: [0.5, 0.5] } })],
  ['a builtin with random weights', builtin('inceptionV3', { input: { size: 75 } })],
  ['a builtin with a Keras file', builtin('vgg16', { weights: { source: 'file:vgg16.h5' } })],
  ['a later stage from the best', stages(head, { ...head, name: 'again', onEnter: 'restoreBest' })],
];

for (const [what, changes] of accepted) {
  test(`accepted: ${what}`, () => void parseJobFile(aTinyJob(changes), 'job.yaml'));
}
