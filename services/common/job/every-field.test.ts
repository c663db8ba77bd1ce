// No field of the job file is ignored: changing it changes the resolved job, or is refused by name. And the job's digest
// follows exactly those fields that can change the result, a stage's key those that can change a bit of a stage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { resolvedTinyJob } from '../../../test/support/fixtures/resolved-tiny-job.ts';
import type { Fields } from '../../../test/support/fixtures/tiny-job.ts';
import { digestOf } from '../content/digest.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { jobDigest } from './job-digest.ts';
import type { ResolvedJob } from './resolved-job.ts';
import { jobFacts, stageFacts } from './result-facts.ts';
import { jobSchema } from './schema/job.ts';

/**
 * result: decides what comes out, so it is in the digest. place: where and with how many, so it is not. refused: not
 * supported yet, or the one value there is. kubernetes: for kubectl alone.
 */
type Effect = 'result' | 'place' | 'refused' | 'kubernetes';

interface Flip {
  readonly effect: Effect;
  /** Laid over the tiny job, before and after. */
  readonly context?: Fields;
  readonly value: unknown;
}

const flip = (effect: Effect, value: unknown, context: Fields = {}): Flip => ({ effect, value, context });
const spec = (changes: Fields): Fields => ({ spec: changes });
const optimizer = (name: string): Fields =>
  spec({ train: { optimizer: { adam: undefined, [name]: { learningRate: 0.1 } } } });
const stage = { name: 'head', trainable: ['head/**'], epochs: 3, advanceOn: { metric: 'loss' } };
const stages = spec({ train: { schedule: { stages: [stage, { ...stage, name: 'again' }] } } });
const head = (layer: Fields): Fields => spec({ model: { head: [{ flatten: {} }, layer] } });
const augment = (...list: Fields[]): Fields => spec({ data: { augment: list } });
const input = spec({ model: { input: { preset: undefined, range: [0, 1] } } });
const builtin = (weights: Fields): Fields => spec({ model: { source: 'builtin:vgg16', input: { size: 32 }, weights } });
const fractionsGone = { train: undefined, validation: undefined, test: undefined };
const folders = spec({
  data: { split: { ...fractionsGone, folders: { train: 'file:a', validation: 'file:b', test: 'file:c' } } },
});
const preset = spec({ train: { schedule: { stages: undefined, preset: 'lp-ft' } } });
const losses = (name: string): Fields => spec({ train: { loss: { [name]: {} } } });

/** By path, with `[]` for the last item of a list. */
const flips: Readonly<Record<string, Flip>> = {
  apiVersion: flip('refused', 'thaw.dev/v2'),
  kind: flip('refused', 'Other'),
  'metadata.name': flip('place', 'other'),
  'metadata.namespace': flip('kubernetes', 'team'),
  'metadata.labels': flip('kubernetes', { a: 'b' }),
  'metadata.annotations': flip('kubernetes', { a: 'b' }),
  'spec.task': flip('refused', 'regression'),
  'spec.model.source': flip('place', 'file:elsewhere'),
  'spec.model.weights.source': flip('place', 'file:elsewhere.h5', builtin({ source: 'file:vgg16.h5' })),
  'spec.model.weights.none': flip('refused', {}), // beside a file that has its own
  'spec.model.input.size': flip('result', 32),
  'spec.model.input.height': flip('result', 32, spec({ model: { input: { height: 24, width: 24 } } })),
  'spec.model.input.width': flip('result', 32, spec({ model: { input: { height: 24, width: 24 } } })),
  'spec.model.input.resize': flip('result', 'pad'),
  'spec.model.input.preset': flip('result', 'tf'),
  'spec.model.input.range': flip('result', [-1, 1], input),
  'spec.model.input.mean': flip('result', [0.5, 0.5, 0.5], input),
  'spec.model.input.std': flip('result', [0.5, 0.5, 0.5], input),
  'spec.model.input.channels': flip('result', 'bgr', input),
  'spec.model.cut': flip('result', 'block2_relu'),
  'spec.model.head[].globalAveragePooling': flip('result', {}, head({})),
  'spec.model.head[].globalMaxPooling': flip('result', {}, head({})),
  'spec.model.head[].flatten': flip('result', {}, head({})),
  'spec.model.head[].dense.units': flip('result', 9, head({ dense: { units: 8 } })),
  'spec.model.head[].dense.activation': flip('result', 'relu', head({ dense: { units: 8 } })),
  'spec.model.head[].dense.useBias': flip('result', false, head({ dense: { units: 8 } })),
  'spec.model.head[].dropout.rate': flip('result', 0.3, head({ dropout: { rate: 0.2 } })),
  'spec.model.head[].batchNormalization.momentum': flip('result', 0.9, head({ batchNormalization: {} })),
  'spec.model.head[].batchNormalization.epsilon': flip('result', 0.01, head({ batchNormalization: {} })),
  'spec.model.head[].activation.function': flip('result', 'elu', head({ activation: { function: 'relu' } })),
  'spec.data.source': flip('place', 'file:elsewhere'),
  'spec.data.format': flip('place', 'csv'),
  'spec.data.split.train': flip('result', 0.7, spec({ data: { split: { train: 0.7 + 1e-7, validation: 0.2 } } })),
  'spec.data.split.validation': flip('result', 0.1 + 1e-7),
  'spec.data.split.test': flip('result', 0.1 + 1e-7),
  'spec.data.split.group': flip('result', 'patient'),
  'spec.data.split.folders.train': flip('place', 'file:d', folders),
  'spec.data.split.folders.validation': flip('place', 'file:d', folders),
  'spec.data.split.folders.test': flip('place', 'file:d', folders),
  'spec.data.shards': flip('result', 9),
  'spec.data.augment[].flip.axis': flip('result', 'vertical', augment({ flip: {} })),
  'spec.data.augment[].crop.area': flip('result', [0.5, 1], augment({ crop: {} })),
  'spec.data.augment[].crop.aspect': flip('result', [1, 1], augment({ crop: {} })),
  'spec.data.augment[].rotate.degrees': flip('result', 20, augment({ rotate: { degrees: 10 } })),
  'spec.data.augment[].brightness.amount': flip('result', 0.2, augment({ brightness: { amount: 0.1 } })),
  'spec.data.augment[].contrast.amount': flip('result', 0.2, augment({ contrast: { amount: 0.1 } })),
  'spec.data.augment[].randAugment.operations': flip('result', 3, augment({ randAugment: {} })),
  'spec.data.augment[].randAugment.magnitude': flip('result', 5, augment({ randAugment: {} })),
  'spec.data.views': flip('result', 2, augment({ flip: {} })),
  'spec.data.maxBadSamples': flip('result', 0.5),
  'spec.train.seed': flip('result', 8),
  'spec.train.microBatch': flip('result', 5),
  'spec.train.loss.crossEntropy.labelSmoothing': flip('result', 0.1, losses('crossEntropy')),
  'spec.train.loss.binaryCrossEntropy.labelSmoothing': flip('result', 0.1, losses('binaryCrossEntropy')),
  'spec.train.loss.focal.gamma': flip('result', 3, losses('focal')),
  'spec.train.loss.focal.alpha': flip('result', 0.5, losses('focal')),
  'spec.train.loss.focal.labelSmoothing': flip('result', 0.1, losses('focal')),
  'spec.train.loss.mse': flip('result', {}),
  'spec.train.loss.mae': flip('result', {}),
  'spec.train.loss.huber.delta': flip('result', 2, losses('huber')),
  'spec.train.optimizer.sgd.learningRate': flip('result', 0.2, optimizer('sgd')),
  'spec.train.optimizer.momentum.learningRate': flip('result', 0.2, optimizer('momentum')),
  'spec.train.optimizer.momentum.momentum': flip('result', 0.8, optimizer('momentum')),
  'spec.train.optimizer.momentum.nesterov': flip('result', true, optimizer('momentum')),
  'spec.train.optimizer.adam.learningRate': flip('result', 0.3),
  'spec.train.optimizer.adam.beta1': flip('result', 0.8),
  'spec.train.optimizer.adam.beta2': flip('result', 0.99),
  'spec.train.optimizer.adam.epsilon': flip('result', 1e-6),
  'spec.train.optimizer.adamw.learningRate': flip('result', 0.2, optimizer('adamw')),
  'spec.train.optimizer.adamw.beta1': flip('result', 0.8, optimizer('adamw')),
  'spec.train.optimizer.adamw.beta2': flip('result', 0.99, optimizer('adamw')),
  'spec.train.optimizer.adamw.epsilon': flip('result', 1e-6, optimizer('adamw')),
  'spec.train.optimizer.adamw.weightDecay': flip('result', 0.1, optimizer('adamw')),
  'spec.train.optimizer.rmsprop.learningRate': flip('result', 0.2, optimizer('rmsprop')),
  'spec.train.optimizer.rmsprop.rho': flip('result', 0.8, optimizer('rmsprop')),
  'spec.train.optimizer.rmsprop.epsilon': flip('result', 1e-6, optimizer('rmsprop')),
  'spec.train.optimizer.rmsprop.momentum': flip('result', 0.5, optimizer('rmsprop')),
  'spec.train.gradientClip.norm': flip('result', 1),
  'spec.train.l2': flip('result', 0.01),
  'spec.train.onNonFinite': flip('result', 'skipStep'),
  'spec.train.classWeights.balanced': flip('result', {}),
  'spec.train.classWeights.perClass': flip('result', { circle: 1, square: 2, stripes: 3 }),
  'spec.train.mixup.alpha': flip('result', 0.4, spec({ train: { mixup: {} } })),
  'spec.train.mixup.at': flip('result', 'boundary', spec({ train: { mixup: {} } })),
  'spec.train.cutmix.alpha': flip('result', 0.4, spec({ train: { cutmix: {} } })),
  'spec.train.cutmix.at': flip('result', 'boundary', spec({ train: { cutmix: {} } })),
  'spec.train.ema.decay': flip('result', 0.9, spec({ train: { ema: {} } })),
  'spec.train.schedule.preset': flip('result', 'full', preset),
  'spec.train.schedule.epochs': flip('result', 2, preset),
  'spec.train.schedule.stages[].name': flip('result', 'renamed'),
  'spec.train.schedule.stages[].trainable': flip('result', ['head/**', 'last(2)']),
  'spec.train.schedule.stages[].epochs': flip('result', 4, stages),
  'spec.train.schedule.stages[].steps': flip(
    'result',
    4,
    spec({ train: { schedule: { stages: [{ ...stage, epochs: undefined, steps: 3 }] } } }),
  ),
  'spec.train.schedule.stages[].advanceOn.metric': flip('result', 'accuracy', stages),
  'spec.train.schedule.stages[].advanceOn.mode': flip('refused', 'max', stages), // contradicts the metric
  'spec.train.schedule.stages[].advanceOn.patience': flip('result', 4, stages),
  'spec.train.schedule.stages[].advanceOn.minDelta': flip('result', 0.1, stages),
  'spec.train.schedule.stages[].learningRate': flip('result', 0.5),
  'spec.train.schedule.stages[].warmup': flip('result', 3),
  'spec.train.schedule.stages[].curve': flip('result', 'cosine'),
  'spec.train.schedule.stages[].layerDecay': flip('result', 0.5),
  'spec.train.schedule.stages[].batchNorm': flip('result', 'train'),
  'spec.train.schedule.stages[].optimizerState': flip('result', 'reset'),
  'spec.train.schedule.stages[].onEnter': flip('result', 'restoreBest'),
  'spec.train.schedule.stages[].l2sp': flip('result', 0.1),
  'spec.train.schedule.stages[].microBatch': flip('result', 5),
  'spec.train.schedule.stages[].ema': flip('result', 0.9),
  'spec.trainers.replicas': flip('place', 2),
  'spec.trainers.min': flip('place', 2, spec({ trainers: { replicas: 2 } })),
  'spec.trainers.max': flip('place', 5),
  'spec.trainers.threads': flip('result', 2),
  'spec.trainers.engine': flip('result', 'cpu'),
  'spec.trainers.cache.memory': flip('place', '1Gi', spec({ trainers: { cache: { memory: '2Gi' } } })),
  'spec.trainers.cache.disk': flip('place', '0', spec({ trainers: { cache: { disk: '2Gi' } } })),
  'spec.trainers.gpus': flip('place', 1),
  'spec.output.uri': flip('place', 'file:elsewhere'),
  'spec.output.formats': flip('place', ['tfjs']),
  'spec.output.weights': flip('result', 'last'),
  'spec.output.metric': flip('result', 'loss'),
  'spec.output.calibrate': flip('result', 'temperature'),
  'spec.snapshot.everySeconds': flip('place', 30),
  'spec.retention.source': flip('result', 'file:old'),
  'spec.retention.maxDrop': flip('result', 0.1, spec({ retention: { source: 'file:old' } })),
  'spec.retention.onExceed': flip('result', 'rollback', spec({ retention: { source: 'file:old', maxDrop: 0.1 } })),
};

/**
 * Fields of the result that are in no stage's key, as they change no bit of a stage: one is its name, the others choose
 * among what the stages gave or say how much of it is too much. All other fields with the effect `result` are in it.
 */
const outsideStageKeys: readonly string[] = [
  'spec.data.maxBadSamples',
  'spec.train.schedule.stages[].name',
  'spec.output.weights',
  'spec.output.calibrate',
];

/** What stage keys hold of the job. */
function factsOf(job: ResolvedJob): string[] {
  return [jobFacts(job), ...job.stages.map((one) => stageFacts(one, job.output.metric))];
}

/** Paths of everything in the schema that holds a value: no object with keys, no list of objects. */
function fieldsOf(schema: z.ZodType, path = ''): string[] {
  let inner = schema as z.ZodType & { shape?: Record<string, z.ZodType>; element?: z.ZodType };
  while (!inner.shape && !inner.element && 'innerType' in inner.def) inner = inner.def.innerType as typeof inner;
  const { shape, element } = inner;
  if (element && (element as typeof inner).shape) return fieldsOf(element, `${path}[]`);
  const keys = Object.entries(shape ?? {});
  if (keys.length === 0) return [path];
  return keys.flatMap(([key, type]) => fieldsOf(type, path ? `${path}.${key}` : key));
}

/** `fields` with one value set; `[]` is the last item of a list. */
function withValue(fields: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (key === '[]') {
    const list = [...(fields as unknown[])];
    list[list.length - 1] = withValue(list.at(-1), rest, value);
    return list;
  }
  const object = (fields ?? {}) as Fields;
  return { ...object, [key]: withValue(object[key], rest, value) };
}

const tinyStages = [
  { name: 'head', trainable: ['head/**'], epochs: 3 },
  { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 2 },
];

function changesFor(path: string, flipped: Flip): Fields {
  return withValue(contextOf(path, flipped), path.replaceAll('[]', '.[]').split('.'), flipped.value) as Fields;
}

function contextOf(path: string, { context = {} }: Flip): Fields {
  if (Object.keys(context).length > 0 || !path.includes('stages[]')) return context;
  return spec({ train: { schedule: { stages: tinyStages } } });
}

const digests = { model: digestOf('model'), data: digestOf('data') };

test('the table names every field of the schema', () => {
  assert.deepEqual(Object.keys(flips).sort(), fieldsOf(jobSchema).sort());
});

for (const [path, flipped] of Object.entries(flips)) {
  test(`${path}: ${flipped.effect}`, () => {
    const changed = changesFor(path, flipped);
    if (flipped.effect === 'refused') {
      assert.throws(
        () => resolvedTinyJob(changed),
        (thrown) => {
          const named = /^job\.yaml:\d+:\d+: ([^ ]+): /.exec((thrown as ThawError).message)?.[1];
          const refused = named?.replaceAll(/\[\d+\]/g, '[]');
          assert.ok(path === refused || path.startsWith(`${refused}.`), `${named} is named`);
          return thrown instanceof ThawError;
        },
      );
      return;
    }
    const isSet = /head\[\]\.(global|flatten)/.test(path);
    const before = resolvedTinyJob(isSet ? head({ dense: { units: 3 } }) : contextOf(path, flipped));
    const after = resolvedTinyJob(changed);
    if (flipped.effect === 'kubernetes') assert.deepEqual(after, before);
    else assert.notDeepEqual(after, before);
    const isSame = jobDigest(after, digests) === jobDigest(before, digests);
    assert.equal(isSame, flipped.effect !== 'result', 'the digest follows what decides the result');
    const isInKeys = flipped.effect === 'result' && !outsideStageKeys.includes(path);
    assert.equal(factsOf(after).join() !== factsOf(before).join(), isInKeys, 'the keys follow what decides a stage');
  });
}

test('what is outside of the keys is a field of the result', () => {
  assert.deepEqual(
    outsideStageKeys.filter((path) => flips[path]?.effect !== 'result'),
    [],
  );
});

test('the digest follows model and data', () => {
  const job = resolvedTinyJob();
  const other = { model: digestOf('other model'), data: digestOf('other data') };
  assert.notEqual(jobDigest(job, { ...digests, model: other.model }), jobDigest(job, digests));
  assert.notEqual(jobDigest(job, { ...digests, data: other.data }), jobDigest(job, digests));
});
