import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolvedTinyJob } from '../../../test/support/fixtures/resolved-tiny-job.ts';
import { digestOf } from '../content/digest.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { jobDigest } from './job-digest.ts';

const digests = { model: digestOf('model'), data: digestOf('data') };

test('the output layer follows from the classes', () => {
  const classes = { names: ['a', 'b', 'c', 'd'], counts: [1, 1, 1, 1] };
  const { head } = resolvedTinyJob({}, { facts: { classes } }).model;
  assert.deepEqual(head.at(-1), { kind: 'dense', units: 4, activation: 'softmax', useBias: true });
});

test('what the file leaves open has its default', () => {
  const job = resolvedTinyJob({
    spec: {
      model: { head: undefined },
      data: { split: undefined, shards: undefined },
      trainers: undefined,
      output: undefined,
    },
  });
  assert.deepEqual(
    job.model.head.map(({ kind }) => kind),
    ['globalAveragePooling', 'dense'],
  );
  assert.equal(job.model.cut, 'block3_conv');
  assert.deepEqual(job.data.split, { kind: 'hash', train: 0.8, validation: 0.1, test: 0.1 });
  assert.equal(job.data.shards, 8);
  assert.deepEqual(job.trainers, { replicas: 1, min: 1, max: 8, threads: 1, engine: 'tensorflow', gpus: 0 });
  assert.deepEqual(job.output, {
    uri: 'file:out/tiny',
    formats: ['tfjs', 'safetensors'],
    weights: 'best',
    metric: 'loss',
    calibrate: 'none',
  });
});

test('a stage has its own rate and micro-batch, else the job’s', () => {
  const [first, second] = resolvedTinyJob({ spec: { train: { microBatch: 6 } } }).stages;
  assert.deepEqual([first?.learningRate, first?.microBatch], [0.02, 6]);
  assert.equal(second?.learningRate, 0.002);
});

test('the watched metric decides the mode, and what best means', () => {
  const stage = { name: 'head', trainable: ['head/**'], epochs: 3 };
  const watching = (advanceOn: object, output: object = {}) =>
    resolvedTinyJob({
      spec: { train: { schedule: { stages: [{ ...stage, advanceOn }] } }, output: { metric: undefined, ...output } },
    });
  assert.deepEqual(watching({ metric: 'loss' }).stages[0]?.advanceOn, {
    metric: 'loss',
    mode: 'min',
    patience: 3,
    minDelta: 0,
  });
  assert.equal(watching({ metric: 'macroF1' }).stages[0]?.advanceOn?.mode, 'max');
  assert.equal(watching({ metric: 'accuracy' }).output.metric, 'accuracy');
  assert.equal(watching({ metric: 'accuracy' }, { metric: 'loss' }).output.metric, 'loss');
});

test('--trainers replaces replicas and widens min and max, and never the digest', () => {
  const changes = { spec: { trainers: { replicas: 3, min: 2, max: 4 } } };
  const trainersWith = (trainers: number) => resolvedTinyJob(changes, { overrides: { trainers } }).trainers;
  for (const [wanted, replicas, min, max] of [
    [1, 1, 1, 4],
    [3, 3, 2, 4],
    [8, 8, 2, 8],
  ] as const) {
    const found = trainersWith(wanted);
    assert.deepEqual([found.replicas, found.min, found.max], [replicas, min, max]);
  }
  const base = jobDigest(resolvedTinyJob(changes), digests);
  for (const trainers of [1, 2, 8])
    assert.equal(jobDigest(resolvedTinyJob(changes, { overrides: { trainers } }), digests), base);
});

test('more trainers than shards are refused, with the place of the shards', () => {
  assert.throws(
    () => resolvedTinyJob({}, { overrides: { trainers: 9 } }),
    (thrown) =>
      thrown instanceof ThawError &&
      thrown.code === 'JobInvalid' &&
      /^--trainers: found 9 trainers for 8 shards; expected at most data\.shards \(job\.yaml:24:13: spec\.data\.shards\)/.test(
        thrown.message,
      ),
  );
});

for (const [hasTensorflow, trainers, expected] of [
  [true, {}, 'tensorflow'],
  [false, {}, 'wasm'],
  [false, { gpus: 1 }, 'tensorflow'],
  [true, { threads: 2 }, 'tensorflow'],
] as const) {
  const where = `${hasTensorflow ? 'with' : 'without'} TensorFlow and ${JSON.stringify(trainers)}`;
  test(`engine auto ${where} is ${expected}`, () => {
    const changes = { spec: { trainers: { ...trainers, engine: 'auto' } } };
    assert.equal(resolvedTinyJob(changes, { facts: { hasTensorflow } }).trainers.engine, expected);
  });
}

for (const engine of ['tensorflow', 'wasm', 'cpu'] as const) {
  test(`engine ${engine} is no other, whatever is there`, () => {
    for (const hasTensorflow of [true, false]) {
      const job = resolvedTinyJob({ spec: { trainers: { engine } } }, { facts: { hasTensorflow } });
      assert.equal(job.trainers.engine, engine);
    }
  });
}

test('engine auto with threads that wasm does not have is refused where it would be wasm', () => {
  const changes = { spec: { trainers: { engine: 'auto', threads: 2 } } };
  assert.throws(
    () => resolvedTinyJob(changes, { facts: { hasTensorflow: false } }),
    (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === 'JobInvalid');
      assert.match(
        thrown.message,
        /^job\.yaml:\d+:\d+: spec\.trainers\.threads: found 2 with engine auto, which is wasm/,
      );
      return true;
    },
  );
});
