// Nothing is trained twice: runs of one job and of its forks over one cache, with real processes, a real kill, and the
// bits of a run that reuses nothing as the measure.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { aTinyJob, type Fields, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { eventsOf, killAll, startThaw, type ThawProcess, until } from '../support/thaw-process.ts';

/** All that a stage's state may hold: averages of the weights, and statistics that move. */
const everything = {
  model: { head: [{ globalAveragePooling: {} }, { batchNormalization: { momentum: 0.9 } }] },
  train: { ema: { decay: 0.9 } },
  lastBlock: { batchNorm: 'train' },
} as const;
const plain = { model: {}, train: {}, lastBlock: {} } as const;
/** The second stage goes on for hours. */
const endless = { ...plain, lastBlock: { epochs: 100_000 } } as const;

type Variant = typeof everything | typeof plain | typeof endless;

/** Each border is another one: the best state put back, the optimizer's slots kept, a tensor frozen again. */
function stages(lastRate: number, { model, train, lastBlock }: Variant): Fields {
  return {
    metadata: { name: `rate-${String(lastRate).replace('.', '-')}` },
    spec: {
      model,
      data: { maxBadSamples: 0.2 },
      train: {
        ...train,
        schedule: {
          stages: [
            { name: 'head', trainable: ['head/**'], epochs: 2 },
            { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 2, learningRate: 0.002, ...lastBlock },
            { name: 'head-again', trainable: ['head/**'], epochs: 2, learningRate: lastRate, onEnter: 'restoreBest' },
          ],
        },
      },
    },
  };
}

describe('a job that was trained in part before', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let runs = 0;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-reuse-'));
    await writeTinyJob(folder, { changes: stages(0.01, everything) });
    await writeFile(path.join(folder, 'fork.yaml'), aTinyJob(stages(0.03, everything)));
    await writeFile(path.join(folder, 'plain.yaml'), aTinyJob(stages(0.03, plain)));
    await writeFile(path.join(folder, 'endless.yaml'), aTinyJob(stages(0.03, endless)));
    await writeFile(path.join(folder, 'images', 'square', '007.png'), 'bad');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function start(job: string, cache: string, ...more: string[]): Promise<ThawProcess & { readonly out: string }> {
    runs += 1;
    const out = path.join(folder, `out-${runs}`);
    const args = ['run', job, '--out', out, '--json', ...more];
    return startThaw(args, { cwd: folder, env: { THAW_CACHE: cache } }).then((thaw) => ({ ...thaw, out }));
  }

  async function finish(job: string, cache: string, ...more: string[]) {
    const thaw = await start(job, cache, ...more);
    const { status, stdout, said } = await thaw.ended;
    assert.equal(status, 0, said);
    const report = JSON.parse(await readFile(resultFiles(thaw.out).report, 'utf8')) as Report;
    return { report, out: thaw.out, ...done(stdout) };
  }

  /** Kills everything once the second stage has trained an epoch, and returns what was done until then. */
  async function killInSecondStage(job: string, cache: string) {
    const thaw = await start(job, cache);
    await until(thaw, () => eventsOf(thaw.stdout()).some(({ kind, stage }) => kind === 'epochTrained' && stage === 1));
    return done((await killAll(thaw)).stdout);
  }

  it('begins where it differs, with the bits of a run that trains all of it', async (context) => {
    const cache = await ownCache(path.join(folder, 'cache'));
    const first = await finish('job.yaml', cache);
    assert.deepEqual([first.reused, first.started], [[], [0, 1, 2]]);

    const fork = await finish('fork.yaml', cache, '--trainers', '2');
    assert.deepEqual([fork.reused, fork.started, fork.trained], [[0, 1], [2], [4, 5]]);
    assert.deepEqual(
      fork.report.stages.map(({ reused }) => reused?.uid),
      [first.report.uid, first.report.uid, undefined],
    );
    assert.deepEqual(fork.report.stages.slice(0, 2).map(withoutReuse), first.report.stages.slice(0, 2));
    assert.equal(fork.report.stepsReused, first.report.steps - (first.report.stages[2]?.steps ?? 0));
    assert.equal(fork.report.seconds.training, fork.report.stages[2]?.seconds);
    const { choices = [] } = fork.report.featureCache ?? {};
    assert.ok(
      choices.length > 0 && choices.every(({ otherBits }) => !otherBits),
      'features of the first run lie on disk',
    );
    assert.match(await readFile(resultFiles(fork.out).page, 'utf8'), /trained by rate-0-01 on /);

    const fresh = await finish('fork.yaml', cache, '--fresh');
    assert.deepEqual([fresh.reused, fresh.trained], [[], [0, 1, 2, 3, 4, 5]]);
    assert.deepEqual(figures(fork.report), figures(fresh.report));
    assert.notEqual(fresh.report.weightsDigest, first.report.weightsDigest);

    const again = await finish('fork.yaml', cache);
    assert.deepEqual([again.reused, again.started, again.trained], [[0, 1, 2], [], []]);
    assert.deepEqual(figures(again.report), figures(fresh.report));
    assert.equal(again.report.stages[0]?.reused?.uid, fresh.report.uid, 'a fresh run keeps its stages too');
    const { seconds } = again.report;
    context.diagnostic(
      `fresh ${fresh.report.seconds.total} s, fork ${fork.report.seconds.total} s, all reused ${seconds.total} s`,
    );
  });

  it('goes on at the stage in which everything was killed', async () => {
    const cache = await ownCache(path.join(folder, 'cache-of-the-killed'));
    const killed = await killInSecondStage('endless.yaml', cache);
    assert.deepEqual([killed.reused, killed.started], [[], [0, 1]]);
    const again = await killInSecondStage('endless.yaml', cache);
    assert.deepEqual([again.reused, again.started, again.trained[0]], [[0], [1], 2]);

    const resumed = await finish('plain.yaml', cache);
    assert.deepEqual([resumed.reused, resumed.started, resumed.trained], [[0], [1, 2], [2, 3, 4, 5]]);
    const fresh = await finish('plain.yaml', cache, '--fresh');
    assert.deepEqual(figures(resumed.report), figures(fresh.report));
  });
});

/** Stages that were reused and begun, and epochs that were trained, by the events. */
function done(stdout: string) {
  const events = eventsOf(stdout);
  const stagesOf = (wanted: string) => events.filter(({ kind }) => kind === wanted).map(({ stage }) => stage);
  const trained = events.filter(({ kind }) => kind === 'epochTrained').map(({ epoch }) => epoch);
  return { reused: stagesOf('stageReused'), started: stagesOf('stageStarted'), trained };
}

function withoutReuse(stage: Report['stages'][number]): Report['stages'][number] {
  return { ...stage, reused: null };
}

/** All that is the same however much was reused: no times, no names. */
function figures({ weightsDigest, jobDigest, steps, stages: trained, test, badSamples }: Report) {
  const told = trained.map(({ seconds: _s, reused: _r, history, ...stage }) => ({
    ...stage,
    history: history.map(({ trainSeconds: _t, seconds: _p, reducedBytes: _b, ...epoch }) => epoch),
  }));
  assert.ok(badSamples.counts.train > 0, 'there is a bad sample to count');
  return { weightsDigest, jobDigest, steps, told, test, counts: badSamples.counts };
}
