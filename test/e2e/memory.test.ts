// 2,000 steps: no process grows, and the engine holds the same tensors at the end of every epoch.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { eventsOf, startThaw, until } from '../support/thaw-process.ts';

const steps = 2000;
/** A small heap, so that garbage is collected often and does not look like growth: V8 lets 100 MB of it gather otherwise. */
const smallHeap = '--max-old-space-size=96';
/** What a leak of 25 kB a step would add to a trainer. */
const growthMax = 0.05;
const megabyte = 1e6;

interface Reading {
  readonly step: number;
  readonly residentBytes: number;
  readonly tensors: number;
}

describe('2,000 steps', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-memory-'));
    const stages = [{ name: 'long', trainable: ['head/**', 'last(2)'], steps }];
    await writeTinyJob(folder, {
      images: { perClass: 200 },
      changes: { spec: { train: { optimizer: { adam: { learningRate: 0.001 } }, schedule: { stages } } } },
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('leave memory flat and the number of tensors constant', async (context) => {
    const out = path.join(folder, 'out');
    const thaw = await startThaw(['run', 'job.yaml', '--trainers', '2', '--out', out, '--json'], {
      cwd: folder,
      env: { NODE_OPTIONS: smallHeap },
    });
    await until(thaw, () => eventsOf(thaw.stdout()).find(({ kind }) => kind === 'epochEvaluated'));
    const readings = new Map<string, Reading[]>();
    const ports = await metricsPorts(out);
    let over = false;
    void thaw.ended.then(() => {
      over = true;
    });
    while (!over) {
      for (const [name, port] of ports) await read(name, port, readings);
      await delay(200);
    }
    const { status, stdout, said } = await thaw.ended;
    assert.equal(status, 0, said);
    assert.equal(eventsOf(stdout).find(({ kind }) => kind === 'jobSucceeded')?.steps, steps);
    for (const [name, all] of readings) assertFlat(context, name, all);
  });
});

/** Ports by process, as their logs say. */
async function metricsPorts(out: string): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for (const name of ['coordinator', 'trainer-0', 'trainer-1']) {
    const log = await readFile(path.join(resultFiles(out).logs, `${name}.jsonl`), 'utf8');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; metricsPort?: number });
    const port = lines.find(({ msg }) => msg === 'ready')?.metricsPort;
    assert.ok(port, `${name} does not say its metrics port`);
    ports.set(name, port);
  }
  return ports;
}

async function read(name: string, port: number, readings: Map<string, Reading[]>): Promise<void> {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
    (response) => response.text(),
    () => '',
  );
  const value = (metric: string): number => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const role = name === 'coordinator' ? 'coordinator' : 'trainer';
  const reading = {
    step: value(`thaw_${role}_step`),
    residentBytes: value('thaw_process_resident_memory_bytes'),
    tensors: role === 'trainer' ? value('thaw_trainer_engine_tensors') : 0,
  };
  if (Number.isFinite(reading.residentBytes)) readings.set(name, [...(readings.get(name) ?? []), reading]);
}

function assertFlat(context: { diagnostic(message: string): void }, name: string, all: readonly Reading[]): void {
  const between = (from: number, to: number): Reading[] =>
    all.filter(({ step }) => step >= from * steps && step < to * steps);
  const largest = (some: readonly Reading[]): number => Math.max(...some.map(({ residentBytes }) => residentBytes));
  const [early, late] = [between(0.25, 0.5), between(0.75, 1.01)];
  assert.ok(early.length > 1 && late.length > 1, `${name}: ${all.length} readings`);
  const tensors = new Set([...early, ...late].map((reading) => reading.tensors));
  const figures = [largest(early), largest(late)].map((bytes) => (bytes / megabyte).toFixed(1));
  context.diagnostic(
    `${name}: ${figures[0]} MB by step ${steps / 2}, ${figures[1]} MB by step ${steps}, tensors ${[...tensors]}`,
  );
  assert.equal(tensors.size, 1, `${name} holds ${[...tensors].join(', ')} tensors`);
  assert.ok(largest(late) <= largest(early) * (1 + growthMax), `${name} grew from ${figures[0]} to ${figures[1]} MB`);
}
