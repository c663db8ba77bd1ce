import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResolvedJob, ResolvedStage } from './resolved-job.ts';
import { jobFacts, stageFacts } from './result-facts.ts';

/** Every optional field is there, so that each is flipped. */
const job: ResolvedJob = {
  apiVersion: 'thaw.dev/v1alpha1',
  name: 'digits',
  task: 'imageClassification',
  model: {
    source: 'file:model',
    weights: 'file:weights',
    preprocessing: {
      height: 96,
      width: 96,
      resize: 'squash',
      channelOrder: 'rgb',
      scale: 1 / 255,
      mean: [0.1, 0.2, 0.3],
      std: [1, 2, 3],
    },
    cut: 'block5_pool',
    head: [
      { kind: 'globalAveragePooling' },
      { kind: 'dense', units: 16, activation: 'relu', useBias: true },
      { kind: 'batchNormalization', momentum: 0.9, epsilon: 1e-3 },
      { kind: 'dropout', rate: 0.2 },
    ],
  },
  data: {
    source: 'file:data',
    format: 'csv',
    split: { kind: 'hash', train: 0.8, validation: 0.1, test: 0.1, group: 'patient' },
    shards: 8,
    augment: [
      { kind: 'flip', axis: 'horizontal' },
      { kind: 'crop', area: [0.8, 1], aspect: [0.75, 1.3] },
    ],
    views: 2,
    maxBadSamples: 0.01,
  },
  train: {
    seed: 7,
    microBatch: 16,
    loss: { kind: 'focal', gamma: 2, alpha: 0.25, labelSmoothing: 0.1 },
    classWeights: [1, 2],
    mixup: { alpha: 0.2, at: 'pixels' },
    cutmix: { alpha: 1, at: 'boundary' },
    gradientClip: { norm: 1 },
    l2: 0.1,
    onNonFinite: 'fail',
  },
  stages: [],
  trainers: {
    replicas: 2,
    min: 1,
    max: 8,
    threads: 1,
    engine: 'tensorflow',
    gpus: 0,
    cache: { memoryBytes: 1, diskBytes: 2 },
  },
  output: { uri: 'file:out', formats: ['tfjs', 'safetensors'], weights: 'best', metric: 'accuracy', calibrate: 'none' },
  snapshot: { everySeconds: 60 },
};

const stage: ResolvedStage = {
  name: 'head',
  select: ['head/**', 'last(1)'],
  length: { kind: 'epochs', epochs: 3 },
  advanceOn: { metric: 'accuracy', mode: 'max', patience: 2, minDelta: 0.01 },
  optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 },
  learningRate: 0.1,
  warmupSteps: 4,
  curve: 'cosine',
  layerDecay: 0.9,
  batchNorm: 'frozen',
  optimizerState: 'keep',
  onEnter: 'continue',
  l2sp: 0.1,
  microBatch: 16,
  emaDecay: 0.9,
};

/** Fields that change no bit of a stage, and with them all that they hold. */
const outside = {
  job: [
    'name',
    'model.source',
    'model.weights',
    'data.source',
    'data.format',
    'data.maxBadSamples',
    'train.microBatch',
    'trainers.replicas',
    'trainers.min',
    'trainers.max',
    'trainers.gpus',
    'trainers.cache',
    'output',
    'snapshot',
  ],
  stage: ['name'],
};

const cases = [
  { what: 'job', value: job, factsOf: (changed: unknown) => jobFacts(changed as ResolvedJob), left: outside.job },
  {
    what: 'stage',
    value: stage,
    factsOf: (changed: unknown) => stageFacts(changed as ResolvedStage, 'accuracy'),
    left: outside.stage,
  },
] as const;

for (const { what, value, factsOf, left } of cases) {
  describe(`the facts of a ${what}`, () => {
    const before = factsOf(value);
    const fields = leavesOf(value);
    for (const path of fields) {
      const isOutside = left.some((field) => path === field || path.startsWith(`${field}.`));
      it(`${isOutside ? 'leave out' : 'hold'} ${path}`, () => {
        const after = factsOf(flipped(value, path.split('.')));
        assert.equal(after === before, isOutside);
      });
    }

    it('leave out no field that is not there', () => {
      const unknown = left.filter((field) => !fields.some((path) => path === field || path.startsWith(`${field}.`)));
      assert.deepEqual(unknown, []);
    });
  });
}

it('the facts of a job hold which sets are whose where they are explicit, not where they lie', () => {
  const explicit = (train: string): ResolvedJob => ({
    ...job,
    data: { ...job.data, split: { kind: 'explicit', train, validation: 'file:v', test: 'file:t' } },
  });
  assert.equal(jobFacts(explicit('file:a')), jobFacts(explicit('file:b')));
  assert.notEqual(jobFacts(explicit('file:a')), jobFacts(job));
});

it('the facts of a stage hold the metric that chooses its best epoch', () => {
  assert.notEqual(stageFacts(stage, 'accuracy'), stageFacts(stage, 'loss'));
});

/** Dotted paths of everything that is no object. */
function leavesOf(value: unknown, prefix = ''): string[] {
  if (value === null || typeof value !== 'object') return [prefix];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, prefix === '' ? key : `${prefix}.${key}`));
}

function flipped(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return typeof value === 'number' ? value + 1 : `${value} changed`;
  const inner = flipped((value as Record<string, unknown>)[key], rest);
  if (Array.isArray(value)) return value.map((item, i) => (String(i) === key ? inner : item));
  return { ...(value as object), [key]: inner };
}
