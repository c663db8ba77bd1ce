// A run whose trainers come, go and are killed while it trains, at moments that nobody chose: the same bits as an
// undisturbed run beside it, and who stays keeps its process. SEED=n repeats the choices.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Fields, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { eventsOf, killAll, runThaw, startThaw, type ThawProcess, until } from '../support/thaw-process.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Long enough for trainers to join; slots, averages and moving statistics are handed over. */
const job: Fields = {
  spec: {
    model: {
      head: [{ globalAveragePooling: {} }, { batchNormalization: { momentum: 0.9 } }, { dropout: { rate: 0.1 } }],
    },
    data: { augment: [{ flip: { axis: 'horizontal' } }], views: 2 },
    snapshot: { everySeconds: 0.5 },
    train: {
      microBatch: 2,
      ema: { decay: 0.9 },
      schedule: {
        stages: [
          { name: 'head', trainable: ['head/**'], epochs: 30 },
          {
            name: 'last-block',
            trainable: ['head/**', 'last(1)'],
            epochs: 20,
            learningRate: 0.002,
            batchNorm: 'train',
          },
        ],
      },
    },
  },
};

type Event = ReturnType<typeof eventsOf>[number];

describe('a run whose trainers come and go', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  const started: ThawProcess[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-elastic-'));
    await writeTinyJob(folder, { images: { perClass: 60 }, changes: job });
  });
  after(async () => {
    await Promise.all(started.map(killAll));
    await rm(folder, { recursive: true, force: true });
  });

  async function start(out: string): Promise<ThawProcess> {
    const thaw = await startThaw(['run', 'job.yaml', '--out', out, '--json'], { cwd: folder });
    started.push(thaw);
    return thaw;
  }

  async function scale(to: number): Promise<void> {
    const { status, said } = await runThaw(['scale', 'elastic', String(to)], { cwd: folder });
    assert.equal(status, 0, said);
  }

  it('has the bits of one that nobody disturbed', async (context) => {
    context.diagnostic(`SEED=${seed}`);
    const undisturbed = await start('undisturbed');
    const thaw = await start('elastic');
    await nextEvent(thaw, 0, ({ kind }) => kind === 'epochEvaluated');
    const [first] = await trainers(thaw);

    await scale(3);
    const three = await nextEvent(thaw, 0, isGenerationOf(3));
    await delay(seed % 300);
    const [killed = 0] = (await trainers(thaw)).filter((pid) => pid !== first).slice(seed % 2);
    process.kill(killed, 'SIGKILL');
    const lost = await nextEvent(thaw, three, ({ kind, pid }) => kind === 'trainerLost' && pid === killed);
    const two = await nextEvent(thaw, lost, isGenerationOf(2));

    await scale(1);
    const one = await nextEvent(thaw, two, isGenerationOf(1));
    await until(thaw, async () => (await trainers(thaw)).join() === String(first));

    await delay((7 * seed) % 400);
    process.kill(first ?? 0, 'SIGKILL');
    await nextEvent(thaw, one, ({ kind, pid }) => kind === 'trainerLost' && pid === first);

    const [calm, disturbed] = await Promise.all([undisturbed.ended, thaw.ended]);
    for (const { status, said } of [calm, disturbed]) assert.equal(status, 0, said);
    assert.equal(digestOf(disturbed.stdout), digestOf(calm.stdout));
    const lostPids = eventsOf(disturbed.stdout)
      .filter(({ kind }) => kind === 'trainerLost')
      .map(({ pid }) => pid);
    assert.ok(
      [killed, first].every((pid) => lostPids.includes(pid)),
      `lost were ${lostPids}`,
    );
    assert.match(disturbed.stderr, new RegExp(`trainer-0 \\(pid ${first}\\) was ended by SIGKILL; starting it again`));
  });
});

/** Process numbers, in the order in which they were started. */
async function trainers(thaw: ThawProcess): Promise<number[]> {
  const family = await thaw.family();
  return family
    .filter(({ role }) => role === 'trainer')
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
}

/** Waits for the first such event after number `after`, and returns its number. */
async function nextEvent(thaw: ThawProcess, after: number, isIt: (event: Event) => boolean): Promise<number> {
  const found = await until(thaw, () =>
    eventsOf(thaw.stdout()).find((event) => Number(event.sequence) > after && isIt(event)),
  );
  return Number(found.sequence);
}

const isGenerationOf =
  (size: number) =>
  ({ kind, trainers: names }: Event): boolean =>
    kind === 'generationStarted' && Array.isArray(names) && names.length === size;

function digestOf(stdout: string): unknown {
  return eventsOf(stdout).find(({ kind }) => kind === 'jobSucceeded')?.weightsDigest;
}
