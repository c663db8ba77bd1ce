// The coordinator over real gRPC, a real nats-server with JetStream and real files; trainers are scripted, so that a
// job takes a second and every fault comes when the test wants it.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { createLogger } from '@thaw/common/log/logger.ts';
import type { Tensor } from '@thaw/common/model/graph.ts';
import { readSafetensors, writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import type { JobState } from '@thaw/coordinator/core/state.ts';
import { finalWeights, weightsDigest } from '@thaw/coordinator/export/final-weights.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report as JobReport } from '@thaw/coordinator/report/build-report.ts';
import { type Announcement, runJob } from '@thaw/coordinator/run-job.ts';
import { aPreparedJob } from '@thaw/coordinator/testing/a-prepared-job.ts';
import { aStage, aTrained, someEvaluated } from '@thaw/coordinator/testing/builders.ts';
import { connectJobs } from '@thaw/proto/client/connect.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobsClient } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import { followJob } from 'thaw/commands/follow-job.ts';
import type { Child, Exit } from 'thaw/processes/child.ts';
import type { Stopping } from 'thaw/processes/signals.ts';
import type { RunView } from 'thaw/view/run-view.ts';
import { type NatsServer, natsServerFile, startNatsServer } from '../support/nats-server.ts';
import { ScriptedTrainer, type TrainerScript } from '../support/scripted-trainer.ts';

const natsFile = natsServerFile();
const pollMilliseconds = 10;
const noNats = natsFile ? false : 'nats-server is missing: run ./thaw doctor';

let folder = '';
let nats: NatsServer;
let runs = 0;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-coordinator-'));
  if (natsFile) nats = await startNatsServer(natsFile, ['-js', '-sd', path.join(folder, 'jetstream')]);
});

after(async () => {
  await nats?.stop();
  await rm(folder, { recursive: true, force: true });
});

const prepared = aPreparedJob({ stages: [aStage({ steps: 8 }), aStage({ name: 'block', steps: 8 })] });

interface Run {
  readonly out: string;
  readonly address: string;
  readonly announcement: Announcement;
  readonly final: Promise<JobState>;
  cancel(reason: string): void;
}

async function startRun(natsUrl = nats.url, stageBytes = 0): Promise<Run> {
  runs += 1;
  const out = path.join(folder, `out-${runs}`);
  let cancel = (_reason: string): void => undefined;
  let final: Promise<JobState> | undefined;
  const announcement = await new Promise<Announcement>((resolve, reject) => {
    final = runJob(prepared, {
      out,
      natsUrl,
      listen: '127.0.0.1:0',
      uid: `01TEST${runs}`,
      runToken: 'ab'.repeat(8),
      reign: 'cd'.repeat(8),
      cacheDirectory: path.join(folder, 'cache'),
      stageBytes,
      fresh: false,
      resume: false,
      launched: false,
      log: createLogger({ name: 'coordinator', file: path.join(out, 'logs', 'coordinator.jsonl') }),
      ready: resolve,
      started: (ways) => {
        cancel = ways.cancel;
      },
    });
    final.catch(reject);
  });
  assert.ok(final);
  const address = `127.0.0.1:${announcement.grpcPort}`;
  return { out, address, announcement, final, cancel: (reason) => cancel(reason) };
}

/** Values of the trained state after an epoch. */
function stateOf(epoch: number): Uint8Array<ArrayBuffer> {
  const kernel = { shape: [4, 2], data: Float32Array.from({ length: 8 }, (_, i) => epoch + i / 8) };
  return writeSafetensors(
    new Map([
      ['head/output/kernel', kernel],
      ['slot/head/output/kernel/m', kernel],
    ]),
  );
}

/** Epoch 2 is the best one. */
const correctInEpoch = [5, 6, 9, 7];

/** Does what a good trainer does; counts the epochs it has trained. */
function goodTrainer(): TrainerScript {
  let epoch = -1;
  let appliedStep = 0;
  return {
    async answer(directive: Directive__Output, trainer) {
      const { train, evaluate, store, finish, halt, generation } = directive;
      const self = generation?.members.findIndex(({ incarnation }) => incarnation === trainer.incarnation) ?? -1;
      if (train) {
        epoch = train.epoch;
        appliedStep = train.lastStep;
        return { trained: aTrained(train.lastStep) };
      }
      if (evaluate) {
        if (evaluate.restoreDigest !== '') await trainer.fetch(evaluate.restoreDigest);
        return { evaluated: someEvaluated(evaluate.partOwners, self, correctInEpoch[evaluate.epoch] ?? 0) };
      }
      if (store)
        return { stored: self === store.member ? await trainer.store(stateOf(epoch)) : { digest: '', bytes: 0 } };
      if (halt) return { halted: { appliedStep, sums: null } };
      return finish ? { finished: {} } : null;
    },
  };
}

async function eventsOf({ out }: Run, kind: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(resultFiles(out).events, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((event) => event.kind === kind);
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

function watch(address: string): Promise<JobUpdate__Output[]> {
  const jobs = connectJobs(address);
  return new Promise((resolve, reject) => {
    const updates: JobUpdate__Output[] = [];
    const stream = jobs.watch({});
    stream.on('data', (update: JobUpdate__Output) => updates.push(update));
    stream.on('error', reject);
    stream.on('end', () => {
      jobs.close();
      resolve(updates);
    });
  });
}

describe('a job', { skip: noNats }, () => {
  it('goes from the first hello to the written result', async () => {
    const run = await startRun();
    const watched = watch(run.address);
    const trainers = [0, 1].map((i) => new ScriptedTrainer(run.address, i, goodTrainer()));
    const final = await run.final;
    assert.equal(final.phase, 'Succeeded', final.failure?.message);
    await Promise.all(trainers.map(({ ended }) => ended));
    const files = resultFiles(run.out);

    const report = await readJson<JobReport>(files.report);
    const best = finalWeights(prepared.graph, prepared.weights, stateOf(2), 'state');
    assert.equal(report.weightsDigest, weightsDigest(best));
    assert.equal(report.jobDigest, prepared.jobDigest);
    assert.equal(report.steps, 16);
    assert.equal(report.generations, 1);
    assert.deepEqual(
      report.stages.map(({ name, epochs, best: { epoch } }) => [name, epochs, epoch]),
      [
        ['head', 2, 1],
        ['block', 2, 2],
      ],
    );
    assert.equal(report.test.count, 30);
    assert.deepEqual(report.test.confusion, [
      [21, 9],
      [0, 0],
    ]);
    const written = readSafetensors(Uint8Array.from(await readFile(files.safetensors)), 'result').tensors as Map<
      string,
      Tensor
    >;
    assert.deepEqual([...written.keys()], ['backbone/scale/gamma', 'head/output/bias', 'head/output/kernel']);
    assert.deepEqual(written.get('head/output/kernel')?.data, best.get('head/output/kernel')?.data);
    assert.match(await readFile(files.card, 'utf8'), /# digits\n[\s\S]*weights `sha256:/);

    const lines = (await readFile(files.events, 'utf8')).trim().split('\n');
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    assert.deepEqual([kinds[0], kinds.at(-1)], ['jobStarted', 'jobSucceeded']);
    const updates = await watched;
    assert.deepEqual(
      updates.flatMap(({ events }) => events),
      lines,
    );
    assert.equal(updates.at(-1)?.status?.state, 'Succeeded');
    assert.equal(updates.at(-1)?.status?.weightsDigest, report.weightsDigest);
    const leftovers = (await readdir(run.out, { recursive: true })).filter((name) => name.endsWith('.part'));
    assert.deepEqual(leftovers, []);
  });

  it('serves metrics, health and status, and says how many trainers it can have', async () => {
    const run = await startRun();
    const base = `http://127.0.0.1:${run.announcement.metricsPort}`;
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /^thaw_coordinator_trainers_wanted 2$/m);
    assert.match(metrics, /^thaw_process_resident_memory_bytes/m);
    assert.equal((await fetch(`${base}/healthz`)).status, 200);
    const jobs = connectJobs(run.address);
    assert.equal((await statusOf(jobs))?.state, 'Gathering');
    const refusal = await new Promise<Error | null>((resolve) =>
      jobs.scale({ replicas: 30 }, (error) => resolve(error)),
    );
    assert.match(refusal?.message ?? '', /INVALID_ARGUMENT: found 30 trainers; expected 1 to 8/);
    // The coordinator waits a while for a trainer that does not leave, and can be asked how it is.
    const staying = new ScriptedTrainer(run.address, 0, { answer: async () => new Promise(() => undefined) });
    await until(() => staying.received.length > 0);
    await new Promise((resolve) => jobs.cancel({ reason: 'enough' }, resolve));
    await until(() => staying.directives().some(({ finish }) => finish));
    jobs.close();
    const unhealthy = await fetch(`${base}/healthz`);
    assert.deepEqual([unhealthy.status, await unhealthy.text()], [503, 'the job is over: Cancelled: enough\n']);
    const final = await run.final;
    assert.equal(final.phase, 'Cancelled');
    assert.equal(final.failure?.message, 'enough');
    staying.vanish();
  });

  it('tells a refused trainer why, with both engines side by side', async () => {
    const run = await startRun();
    const first = new ScriptedTrainer(run.address, 0, goodTrainer());
    await untilReady(run.address);
    const other = new ScriptedTrainer(run.address, 1, { ...goodTrainer(), probeDigest: 'other bits' });
    await other.ended;
    const refusal = other.received.find(({ body }) => body === 'refusal')?.refusal;
    assert.equal(refusal?.code, 'EngineClassMismatch');
    assert.match(refusal.message, /probe other bits.*probe probe/);
    other.vanish();
    run.cancel('seen enough');
    await run.final;
    await first.ended;
  });

  it('lets a launcher say at once why the trainer that it started was refused', async () => {
    const run = await startRun();
    const first = new ScriptedTrainer(run.address, 0, goodTrainer());
    await untilReady(run.address);
    const other = new ScriptedTrainer(run.address, 1, { ...goodTrainer(), probeDigest: 'other bits' });
    const child = aChild(other.name, other.ended);
    const local = {
      address: run.address,
      coordinator: aChild('coordinator'),
      startTrainer: (name: string) => (name === other.name ? child : aChild(name)),
      jobEnd: () => null,
      brokerLost: new Promise<never>(noop),
    };
    const started = performance.now();
    const { lost } = await followJob(local, {
      eventsFile: resultFiles(run.out).events,
      view: silentView,
      stopping: neverStopping,
      trainers: { wanted: 2, min: 1 },
    });
    assert.ok(performance.now() - started < 2500, 'without waiting for the job to end by itself');
    assert.equal(lost?.child, child);
    assert.equal(lost.code, 'EngineClassMismatch');
    assert.match(lost.message, /^trainer-1 computes other bits than the job: .*probe other bits.*probe probe/);
    other.vanish();
    run.cancel('seen enough');
    await run.final;
    await first.ended;
  });
});

describe('a job that was trained before', { skip: noNats }, () => {
  const bad = { badSamples: { samples: [{ split: 'train', id: 'a', reason: 'truncated' }] } };

  /** Meets an unreadable sample, as every process does anew. */
  async function finished() {
    const run = await startRun(nats.url, 1e6);
    const trainers = [0, 1].map((i) => new ScriptedTrainer(run.address, i, goodTrainer()));
    trainers[0]?.send(bad);
    const final = await run.final;
    assert.equal(final.phase, 'Succeeded', final.failure?.message);
    await Promise.all(trainers.map(({ ended }) => ended));
    const report = await readJson<JobReport>(resultFiles(run.out).report);
    const works = trainers[0]?.directives().map(({ work }) => work) ?? [];
    return { report, works, final };
  }

  it('only tests the states that were kept, and reports what the first run found', async () => {
    const first = await finished();
    assert.deepEqual(new Set(first.works), new Set(['train', 'evaluate', 'store', 'finish']));
    const again = await finished();
    assert.deepEqual(again.works, ['evaluate', 'finish']);
    const { weightsDigest, steps, badSamples, test } = first.report;
    assert.equal(again.report.weightsDigest, weightsDigest);
    assert.deepEqual([again.report.steps, again.report.stepsReused], [steps, steps]);
    assert.deepEqual(again.report.badSamples.counts, badSamples.counts);
    assert.equal(badSamples.counts.train, 1);
    assert.deepEqual(again.report.test, test);
    assert.equal(again.report.seconds.training, 0);
    assert.deepEqual(
      again.report.stages.map(({ reused, ...stage }) => [reused?.uid, stage]),
      first.report.stages.map(({ reused: _, ...stage }) => [first.report.uid, stage]),
    );
  });
});

describe('trainers that come and go', { skip: noNats }, () => {
  /** The end of the undisturbed job: whoever trained it. */
  const expected = weightsDigest(finalWeights(prepared.graph, prepared.weights, stateOf(2), 'state'));

  it('are replaced while the job goes on', async () => {
    const run = await startRun();
    const staying = new ScriptedTrainer(run.address, 0, goodTrainer());
    const idle: TrainerScript = { answer: async () => null };
    const leaving = new ScriptedTrainer(run.address, 1, idle);
    await until(() => leaving.directives().length > 0);
    leaving.vanish();
    await until(() => staying.directives().some(({ halt }) => halt));
    new ScriptedTrainer(run.address, 2, goodTrainer());
    const final = await run.final;
    assert.equal(final.phase, 'Succeeded', final.failure?.message);
    assert.equal((await readJson<JobReport>(resultFiles(run.out).report)).weightsDigest, expected);
    const lost = await eventsOf(run, 'trainerLost');
    assert.deepEqual(
      lost.map(({ trainer, reason }) => [trainer, reason]),
      [['trainer-1', 'its session closed and did not come back within 1 s']],
    );
  });

  it('are not waited for when their launcher says that they have ended', async () => {
    const run = await startRun();
    const silent: TrainerScript = { answer: async () => null };
    const trainers = [0, 1].map((i) => new ScriptedTrainer(run.address, i, silent));
    await until(() => trainers.every((trainer) => trainer.directives().length > 0));
    const jobs = connectJobs(run.address);
    const exit = { name: 'trainer-1', pid: process.pid, reason: 'it was ended by SIGKILL' };
    await new Promise((resolve) => jobs.reportExit(exit, resolve));
    jobs.close();
    await until(() => trainers[0]?.directives().some(({ halt }) => halt) ?? false);
    run.cancel('seen enough');
    await run.final;
    assert.equal((await eventsOf(run, 'trainerLost'))[0]?.reason, 'it was ended by SIGKILL');
    for (const trainer of trainers) trainer.vanish();
  });
});

describe('a job that goes wrong', { skip: noNats }, () => {
  it("fails with a trainer's own failure", async () => {
    const run = await startRun();
    const failure = {
      code: 'NonFinite',
      message: 'stage "head", step 3',
      stage: 0,
      step: 3,
      tensor: 'head/output/bias',
    };
    const trainers = [0, 1].map((i) => new ScriptedTrainer(run.address, i, { answer: async () => null }));
    await until(() => trainers.every((trainer) => trainer.directives().length > 0));
    trainers[0]?.send({ failure });
    const final = await run.final;
    assert.deepEqual([final.failure?.code, final.failure?.tensor], ['NonFinite', 'head/output/bias']);
  });

  it('says a directive again until it is acknowledged', async () => {
    const run = await startRun();
    const deaf = new ScriptedTrainer(run.address, 0, goodTrainer());
    const other = new ScriptedTrainer(run.address, 1, { answer: async () => null });
    const { send } = deaf;
    deaf.send = (message) => (message.ack ? undefined : send.call(deaf, message));
    await until(() => deaf.directives().length >= 2);
    const [first, second] = deaf.directives();
    assert.deepEqual(first, second);
    run.cancel('seen enough');
    await run.final;
    other.vanish();
  });

  it('fails with BrokerLost when nats-server is gone, and trainers hear of it', async () => {
    assert.ok(natsFile);
    const own = await startNatsServer(natsFile, ['-js', '-sd', path.join(folder, 'jetstream-own')]);
    const run = await startRun(own.url);
    const trainer = new ScriptedTrainer(run.address, 0, goodTrainer());
    await until(() => trainer.received.length > 0);
    await own.stop();
    const final = await run.final;
    assert.equal(final.failure?.code, 'BrokerLost');
    await trainer.ended;
    assert.equal(trainer.directives().at(-1)?.finish?.outcome, 'Failed');
    const events = (await readFile(resultFiles(run.out).events, 'utf8')).trim().split('\n');
    const last = JSON.parse(events.at(-1) ?? '') as { kind: string; code: string };
    assert.deepEqual([last.kind, last.code], ['jobFailed', 'BrokerLost'], 'the file tells it without the stream');
  });

  it('is refused by name when its events are there and its state is not', async () => {
    const out = path.join(folder, `out-${runs + 1}`);
    await mkdir(out);
    await writeFile(resultFiles(out).events, '{"sequence":3}\n');
    await assert.rejects(startRun(), { code: 'OutputConflict', message: /goes up to event 3, but .*hold no state/ });
  });

  it('is refused by name when there is no nats-server', async () => {
    await assert.rejects(startRun('nats://127.0.0.1:1'), (error: unknown) => {
      return error instanceof ThawError && error.code === 'BrokerLost';
    });
  });
});

/** A process that a launcher has started; it goes on, or ends as one that was refused does. */
function aChild(name: string, refused: Promise<void> = new Promise(() => undefined)): Child {
  let exit: Exit | null = null;
  return {
    name,
    pid: 7,
    onLine: () => undefined,
    tell: () => undefined,
    exited: refused.then(() => {
      exit = { code: 1, signal: null };
      return exit;
    }),
    get exit() {
      return exit;
    },
    lastLines: () => ['error [EngineClassMismatch] the coordinator refused this trainer'],
    lastWords: () => '',
    stop: async () => undefined,
  };
}

const silentView: RunView = { starting: noop, update: noop, warn: noop, end: noop };
const neverStopping: Stopping = { requested: new Promise(() => undefined), asked: false, release: noop };

function noop(): void {}

function statusOf(jobs: JobsClient): Promise<JobStatus__Output | undefined> {
  return new Promise((resolve) => jobs.get({}, (_, value) => resolve(value)));
}

/** Until one trainer has passed the probe: its engine is the job's then. */
async function untilReady(address: string): Promise<void> {
  const jobs = connectJobs(address);
  while ((await statusOf(jobs))?.trainersReady !== 1) await delay(pollMilliseconds);
  jobs.close();
}

/** Polls; the limit of `npm test` ends a wait that never comes true. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(pollMilliseconds);
}
