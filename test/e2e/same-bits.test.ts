// The promise that everything rests on: the final weights are the same bits for any number of trainers, every time.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ResultFiles, resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { eventsOf, runThaw, startThaw } from '../support/thaw-process.ts';

describe('the same bits whoever trains', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let first: Report | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-bits-'));
    await writeTinyJob(folder, { changes: augmented });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const trainers of [1, 2, 3, 4]) {
    for (const time of ['once', 'again']) {
      it(`with ${trainers} trainers, ${time}`, async () => {
        const out = `out-${trainers}-${time}`;
        const thaw = await startThaw(['run', 'job.yaml', '--trainers', `${trainers}`, '--out', out, '--json'], {
          cwd: folder,
        });
        const { status, stdout, said } = await thaw.ended;
        assert.equal(status, 0, said);
        const report = await reportIn(resultFiles(path.join(folder, out)));
        first ??= report;
        assert.equal(report.weightsDigest, first.weightsDigest);
        assert.equal(report.jobDigest, first.jobDigest);
        assert.equal(report.trainers.length, trainers);
        assert.deepEqual(report.test, first.test);
        assert.ok((report.test.calibrated?.temperature ?? 1) !== 1, 'a temperature was fitted');
        assert.deepEqual(validations(report), validations(first));
        assert.equal(eventsOf(stdout).at(-1)?.weightsDigest, report.weightsDigest);
        assert.deepEqual(await thaw.family(), []);
        assert.deepEqual(await thaw.temporaryFiles(), []);
      });
    }
  }

  it('with another seed, other bits', async () => {
    const cwd = path.join(folder, 'other');
    await writeTinyJob(cwd, { changes: { spec: { ...augmented.spec, train: { seed: 8 } } } });
    const { status, said } = await (await startThaw(['run', 'job.yaml', '--out', 'out'], { cwd })).ended;
    assert.equal(status, 0, said);
    const report = await reportIn(resultFiles(path.join(cwd, 'out')));
    assert.notEqual(report.weightsDigest, first?.weightsDigest);
  });
});

describe('the same bits through every turn that a schedule can take', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let first: Report | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-turns-'));
    await writeTinyJob(folder, { changes: turning });
    // No pictures; which set a sample belongs to follows from its id.
    for (const name of ['007', '019', '031'])
      await writeFile(path.join(folder, 'images', 'square', `${name}.png`), 'bad');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const trainers of [1, 3]) {
    for (const [memory, bytes] of [
      ['all features', undefined],
      ['a few features', '6000'],
    ] as const) {
      it(`with ${trainers} trainers and memory for ${memory}`, async () => {
        const out = path.join(folder, `out-${trainers}-${bytes ?? 'all'}`);
        const { status, said } = await runThaw(
          ['run', 'job.yaml', '--trainers', `${trainers}`, '--out', out, '--json'],
          {
            cwd: folder,
            env: bytes === undefined ? {} : { THAW_FEATURE_BYTES: bytes },
          },
        );
        assert.equal(status, 0, said);
        const report = await reportIn(resultFiles(out));
        first ??= report;
        assert.equal(report.weightsDigest, first.weightsDigest);
        assert.deepEqual(validations(report), validations(first));
        assert.deepEqual(report.test, first.test);
        assert.ok(report.badSamples.counts.train > 0, JSON.stringify(report.badSamples));
        assert.deepEqual(report.badSamples.counts, first.badSamples.counts);
        assert.deepEqual(
          report.stages.map(({ history }) => history.map(({ steps }) => steps)),
          [[3, 3], [6], [3, 2], [3]],
        );
        assert.equal(await overflowed(out), bytes !== undefined);
      });
    }
  }
});

const turnedOn = [
  { what: 'everything that fights overfitting', changes: () => regularised, loss: 'focal' },
  { what: 'statistics of batch normalisation that move', changes: () => normalising, loss: 'crossEntropy' },
];

describe('the same bits with 1 and with 3 trainers', { skip: await skipWithoutEngine() }, () => {
  for (const { what, changes, loss } of turnedOn)
    it(`with ${what}`, async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'thaw-turned-on-'));
      try {
        await writeTinyJob(folder, { changes: changes() });
        const reports = [];
        for (const trainers of [1, 3]) {
          const out = path.join(folder, `out-${trainers}`);
          const run = ['run', 'job.yaml', '--trainers', `${trainers}`, '--out', out, '--json'];
          const { status, said } = await runThaw(run, { cwd: folder });
          assert.equal(status, 0, said);
          reports.push(await reportIn(resultFiles(out)));
        }
        const [one, three] = reports as [Report, Report];
        assert.equal(three.weightsDigest, one.weightsDigest);
        assert.deepEqual(validations(three), validations(one));
        assert.deepEqual(three.test, one.test);
        assert.equal(one.loss.kind, loss);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
});

/** Losses, weights, mixing at either place, averages, drawn augmentation. */
const regularised = {
  spec: {
    data: { augment: [{ randAugment: {} }], views: 2 },
    train: {
      loss: { focal: { gamma: 1.5, labelSmoothing: 0.1 } },
      classWeights: { perClass: { circle: 0.5, square: 1, stripes: 2 } },
      mixup: { alpha: 0.4, at: 'boundary' },
      cutmix: { at: 'pixels' },
      ema: { decay: 0.7 },
      schedule: {
        stages: [
          { name: 'head', trainable: ['head/**'], epochs: 2 },
          { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 1, learningRate: 0.002 },
        ],
      },
    },
  },
};

/** A head that moves its statistics, a backbone that adapts them, then both, from a state that holds them. */
const normalising = {
  spec: {
    model: {
      head: [{ globalAveragePooling: {} }, { batchNormalization: { momentum: 0.9 } }, { dropout: { rate: 0.1 } }],
    },
    train: {
      schedule: {
        stages: [
          { name: 'adapt', trainable: ['head/**'], epochs: 2, batchNorm: 'adapt' },
          { name: 'head', trainable: ['head/**'], epochs: 2, batchNorm: 'train' },
          { name: 'blocks', trainable: ['head/**', 'last(2)'], epochs: 2, batchNorm: 'train', onEnter: 'restoreBest' },
          { name: 'frozen', trainable: ['head/**', 'last(1)'], epochs: 1 },
        ],
      },
    },
  },
};

/** A thawed block that is frozen again, the best state put back, another micro-batch, an epoch that ends early. */
const turning = {
  spec: {
    data: { maxBadSamples: 0.2 },
    // What does not fit in memory is computed again.
    trainers: { cache: { disk: '0' } },
    train: {
      schedule: {
        stages: [
          { name: 'head', trainable: ['head/**'], epochs: 2 },
          { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 1, microBatch: 2, learningRate: 0.002 },
          { name: 'head-again', trainable: ['head/**'], steps: 5, onEnter: 'restoreBest', optimizerState: 'reset' },
          { name: 'two-blocks', trainable: ['head/**', 'last(2)'], epochs: 1, learningRate: 0.001 },
        ],
      },
    },
  },
};

/** True when some trainer wrote that its features do not fit in memory. */
async function overflowed(out: string): Promise<boolean> {
  const { logs } = resultFiles(out);
  const texts = await Promise.all((await readdir(logs)).map((name) => readFile(path.join(logs, name), 'utf8')));
  return texts.some((text) => /features of \d+ of \d+ samples fit in memory/.test(text));
}

/** Everything that draws random numbers is on: augmentation over two views, and dropout in the head. */
const augmented = {
  spec: {
    data: {
      augment: [{ flip: { axis: 'horizontal' } }, { crop: { area: [0.7, 1] } }, { brightness: { amount: 0.2 } }],
      views: 2,
    },
    output: { calibrate: 'temperature' },
  },
};

async function reportIn({ report }: ResultFiles): Promise<Report> {
  return JSON.parse(await readFile(report, 'utf8')) as Report;
}

function validations({ stages }: Report): unknown[] {
  return stages.flatMap(({ history }) =>
    history.map(({ epoch, validation, stateDigest }) => [epoch, validation, stateDigest]),
  );
}
