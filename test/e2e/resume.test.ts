// A run that is killed, all of it, at a moment that nobody chose, and taken up again with another number of trainers:
// the same bits as an undisturbed run, no epoch twice, no step lost. SEED=n repeats a run's moments.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { type Fields, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { type Ended, eventsOf, killAll, runThaw, startThaw, type ThawProcess, until } from '../support/thaw-process.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** All that a state may hold: averages, statistics that move, slots that are kept; and a sample that cannot be read. */
const job: Fields = {
  spec: {
    model: {
      head: [{ globalAveragePooling: {} }, { batchNormalization: { momentum: 0.9 } }, { dropout: { rate: 0.1 } }],
    },
    data: { maxBadSamples: 0.2, augment: [{ flip: { axis: 'horizontal' } }], views: 2 },
    snapshot: { everySeconds: 0.2 },
    train: {
      microBatch: 2,
      ema: { decay: 0.9 },
      schedule: {
        stages: [
          { name: 'head', trainable: ['head/**'], epochs: 3 },
          { name: 'last-block', trainable: ['head/**', 'last(1)'], epochs: 3, learningRate: 0.002, batchNorm: 'train' },
          { name: 'head-again', trainable: ['head/**'], epochs: 6, onEnter: 'restoreBest', optimizerState: 'keep' },
        ],
      },
    },
  },
};

type Event = ReturnType<typeof eventsOf>[number];

describe('a run that is taken up again', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let out = '';

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-resume-'));
    out = path.join(folder, 'out');
    await writeTinyJob(folder, { images: { perClass: 60 }, changes: job });
    await writeFile(path.join(folder, 'images', 'square', '007.png'), 'bad');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const start = (...args: string[]): Promise<ThawProcess> => startThaw(['run', ...args, '--json'], { cwd: folder });
  const resume = (...args: string[]): Promise<ThawProcess> => start('--resume', out, ...args);

  /** Kills everything a while after the first such event. */
  async function killAfter(thaw: ThawProcess, isIt: (event: Event) => boolean, milliseconds: number): Promise<Event[]> {
    await until(thaw, () => eventsOf(thaw.stdout()).find(isIt));
    await delay(milliseconds);
    await killAll(thaw);
    return eventsOf(thaw.stdout());
  }

  it('after kill -9 of everything, and after Ctrl-C, has the bits of one that nobody disturbed', async (context) => {
    context.diagnostic(`SEED=${seed}`);
    const whole = await runThaw(['run', 'job.yaml', '--out', 'whole', '--json'], { cwd: folder });
    assert.equal(whole.status, 0, whole.said);

    const first = await killAfter(await start('job.yaml', '--out', out), stored, seed % 400);

    const second = await resume('--trainers', '3');
    const secondEvents = await killAfter(
      second,
      (event) => event.kind === 'stageStarted' && event.stage === 1,
      (7 * seed) % 900,
    );
    assertGoesOn(secondEvents, first);

    const third = await resume('--trainers', '2');
    await until(third, () => eventsOf(third.stdout()).find((event) => stored(event) && Number(event.stage) >= 1));
    third.kill('SIGINT');
    const stopped = await third.ended;
    assertStopped(stopped, out);
    assertGoesOn(eventsOf(stopped.stdout), secondEvents);

    const last = await (await resume()).ended;
    assert.equal(last.status, 0, last.said);
    assertGoesOn(eventsOf(last.stdout), eventsOf(stopped.stdout));
    const [resumed] = eventsOf(last.stdout).filter(({ kind }) => kind === 'jobResumed');
    assert.equal(resumed?.stepsRedone, 0, 'an ordered end loses nothing');

    const report = await reportIn(out);
    assert.deepEqual(figures(report), figures(await reportIn(path.join(folder, 'whole'))));
    assert.equal(report.resumes?.times, 3);
    await assertNothingTwice(out, report);
    const again = await runThaw(['run', '--resume', out], { cwd: folder });
    assert.equal(again.status, 1);
    assert.match(again.said, /the run of "tiny" .* is finished, see .*report\.json/);
  });
});

const stored = ({ kind }: Event): boolean => kind === 'snapshotStored';

/** It begins after the newest snapshot that was announced before, or a newer one. */
function assertGoesOn(events: readonly Event[], before: readonly Event[]): void {
  const [resumed] = events.filter(({ kind }) => kind === 'jobResumed');
  const newest = Math.max(...before.filter(stored).map(({ step }) => Number(step)));
  assert.ok(Number(resumed?.step) >= newest, `resumed after step ${resumed?.step}; step ${newest} was stored`);
}

function assertStopped({ status, said, stdout }: Ended, out: string): void {
  assert.equal(status, 130, said);
  const last = eventsOf(stdout).findLast(stored);
  assert.match(said, new RegExp(`run --resume ${path.basename(out)}\` goes on after step ${last?.step}`));
}

/** The log goes on where it was, and the report has each epoch once. */
async function assertNothingTwice(out: string, { stages }: Report): Promise<void> {
  const lines = (await readFile(resultFiles(out).events, 'utf8')).trimEnd().split('\n');
  const sequences = lines.map((line) => (JSON.parse(line) as { sequence: number }).sequence);
  assert.deepEqual(
    sequences,
    sequences.map((_, i) => i + 1),
  );
  const epochs = stages.flatMap(({ history }) => history.map(({ epoch }) => epoch));
  assert.deepEqual(
    epochs,
    epochs.map((_, i) => i),
  );
}

async function reportIn(out: string): Promise<Report> {
  return JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
}

/** All that is the same however often it was stopped: no times, no names. */
function figures({ weightsDigest, jobDigest, steps, stages, test, badSamples }: Report) {
  const told = stages.map(({ seconds: _s, history, ...stage }) => ({
    ...stage,
    history: history.map(({ trainSeconds: _t, seconds: _p, reducedBytes: _b, ...epoch }) => epoch),
  }));
  assert.ok(badSamples.counts.train > 0, 'there is a bad sample to count');
  return { weightsDigest, jobDigest, steps, told, test, counts: badSamples.counts };
}
