// What is left of the old task: a result of Thaw learns another task and is asked about its own in every epoch.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { writeImages } from '../support/fixtures/tiny-images.ts';
import { aTinyJob, type Fields, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';
import { eventsOf, runThaw } from '../support/thaw-process.ts';

const images = { perClass: 24 };

describe('a job that keeps an eye on its old task', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  /** As `thaw evaluate` says of the source and the old samples. */
  let known = 0;
  let watched: Report | null = null;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-retention-'));
    await writeTinyJob(folder, { images, changes: { spec: { output: { uri: 'file:source' } } } });
    await thaw(['run', 'job.yaml']);
    await writeImages(path.join(folder, 'new'), { ...images, classes: ['no', 'yes'], seed: 2 });
    const evaluated = await thaw(['evaluate', 'source', 'file:images', '--json']);
    known = (JSON.parse(evaluated) as { accuracy: number }).accuracy;
    assert.ok(known > 0.6, `the source knows its task: ${known}`);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function thaw(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { status, stdout, stderr } = await runThaw(args, { cwd: folder, env });
    assert.equal(status, 0, stderr);
    return stdout;
  }

  interface How {
    readonly args?: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
  }

  async function next(
    name: string,
    spec: Fields,
    { args = [], env }: How = {},
  ): Promise<{ report: Report; events: Fields[] }> {
    const model = { source: 'file:source', input: undefined };
    const data = { source: 'file:new' };
    const changes = { metadata: { name }, spec: { model, data, ...spec, output: { uri: `file:${name}` } } };
    await writeFile(path.join(folder, `${name}.yaml`), aTinyJob(changes));
    const stdout = await thaw(['run', `${name}.yaml`, '--json', ...args], env);
    const text = await readFile(resultFiles(path.join(folder, name)).report, 'utf8');
    return { report: JSON.parse(text) as Report, events: eventsOf(stdout) };
  }

  it('measures it with the source as it is, then with its classifier on the backbone of each epoch', async () => {
    const { report, events } = await next('watched', { retention: { source: 'file:images' } });
    watched = report;
    const { oldTask, stages } = report;
    assert.equal(oldTask?.before.accuracy, known);
    assert.equal(oldTask?.before.count, 3 * images.perClass);
    const [head = [], blocks = []] = stages.map(({ history }) => history.map(({ retention }) => retention));
    assert.deepEqual(new Set(head.map((one) => one?.drop)), new Set([0]), 'a head on a frozen backbone costs nothing');
    assert.deepEqual(new Set(head.map((one) => one?.loss)), new Set([oldTask?.before.loss]));
    for (const one of blocks) {
      assert.notEqual(one?.loss, oldTask?.before.loss, 'a trained backbone is another one');
      assert.equal(one?.drop, known - (one?.accuracy ?? 0));
    }
    const kinds = events.map(({ kind }) => kind);
    assert.ok(kinds.indexOf('oldTaskMeasured') < kinds.indexOf('stageStarted'));
    const page = await readFile(resultFiles(path.join(folder, 'watched')).page, 'utf8');
    assert.match(page, /<section id="forgetting"/);
  });

  it('finds the same with 3 trainers, and trains the same weights', async () => {
    const args = ['--trainers', '3', '--overwrite'];
    const { report } = await next('watched', { retention: { source: 'file:images' } }, { args });
    assert.equal(report.weightsDigest, watched?.weightsDigest);
    assert.deepEqual(report.oldTask, watched?.oldTask);
    const retained = ({ stages }: Report) => stages.map(({ history }) => history.map(({ retention }) => retention));
    assert.deepEqual(retained(report), retained(watched as Report));
  });

  it('ends a stage that forgets more than it may, with its best epoch from before', async () => {
    const stages = [{ name: 'all', trainable: ['head/**', 'backbone/**'], epochs: 8, learningRate: 0.02 }];
    const retention = { source: 'file:images', maxDrop: 0.1 };
    const { report } = await next('ruled', { train: { schedule: { stages } }, retention });
    const [stage] = report.stages;
    assert.match(stage?.ended ?? '', /^the old task's accuracy fell by [\d.]+ points; retention.maxDrop allows 10$/);
    const drops = stage?.history.map(({ retention: found }) => found?.drop ?? 0) ?? [];
    assert.ok((drops.at(-1) ?? 0) > 0.1 && drops.slice(0, -1).every((drop) => drop <= 0.1), drops.join());
    assert.ok(drops.length === 1 || stage?.best.epoch !== drops.length - 1);
  });

  it('undoes such a stage where the job says so, with any number of trainers, and reuses that', async () => {
    const stages = [
      { name: 'head', trainable: ['head/**'], epochs: 1 },
      { name: 'all', trainable: ['head/**', 'backbone/**'], epochs: 8, learningRate: 0.02, onEnter: 'restoreBest' },
    ];
    const retention = { source: 'file:images', maxDrop: 0.1, onExceed: 'rollback' };
    const env = { THAW_CACHE: await ownCache(path.join(folder, 'cache')) };
    const run = async (name: string, used: readonly Fields[], ...args: string[]) => {
      const how = { train: { schedule: { stages: used } }, retention };
      return next(name, how, { env, args });
    };
    const { report, events } = await run('undone', stages, '--trainers', '3');
    const [, all] = report.stages;
    assert.ok(all?.rolledBack && all.rolledBack.drop > 0.1 && all.rolledBack.toEpoch === 0, JSON.stringify(all));
    assert.equal(report.oldTask?.after?.drop, 0);
    const told = events.filter(({ kind }) => kind === 'stageEnded').map(({ rolledBack }) => rolledBack);
    assert.deepEqual(told, [undefined, all.rolledBack]);
    const { report: alone } = await run('head-only', stages.slice(0, 1), '--fresh');
    assert.equal(report.weightsDigest, alone.weightsDigest, 'the weights are those of a job without the stage');
    const again = await run('undone', stages, '--overwrite');
    assert.deepEqual(
      again.report.stages.map(({ reused, rolledBack }) => [reused?.job, rolledBack]),
      [
        ['head-only', undefined],
        ['undone', all.rolledBack],
      ],
    );
    assert.equal(again.report.weightsDigest, report.weightsDigest);
  });
});
