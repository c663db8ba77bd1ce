// A whole run as the coordinator tells it, for tests and the demo: decided by the real core, shown by the real status,
// and sent through the real messages. Trainers are made up: what they report grows better, and one sample is bad.

import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { eventLine } from '@thaw/coordinator/core/event-log.ts';
import type { JobPlan } from '@thaw/coordinator/core/job-plan.ts';
import { jobStatus } from '@thaw/coordinator/core/progress.ts';
import { buildReport, type Report } from '@thaw/coordinator/report/build-report.ts';
import { aHello, aPlan, aReady, aStage, incarnationOf, Play } from '@thaw/coordinator/testing/builders.ts';
import type { Heartbeat__Output } from '@thaw/proto/gen/thaw/v1/Heartbeat.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import { loadThawProto } from '@thaw/proto/load.ts';

export interface PlayedUpdate {
  /** Milliseconds since the command began. */
  readonly at: number;
  readonly update: JobUpdate__Output;
}

export interface PlayedRun {
  readonly updates: readonly PlayedUpdate[];
  readonly report: Report;
  /** Wall time of the command's beginning. */
  readonly began: number;
}

const began = Date.UTC(2026, 0, 5, 12);

const plan: JobPlan = aPlan({
  name: 'digits',
  classes: ['no', 'yes'],
  samples: { train: 960, validation: 120, test: 120 },
  stages: [
    aStage({
      name: 'head',
      stepsPerEpoch: 24,
      steps: 120,
      advanceOn: { metric: 'accuracy', mode: 'max', patience: 1, minDelta: 0.01 },
    }),
    aStage({ name: 'block5', stepsPerEpoch: 24, steps: 48 }),
    aStage({ name: 'everything', stepsPerEpoch: 24, steps: 48 }),
  ],
});

/** Right of ten in each validation part, by epoch: the head reaches a plateau in its fourth one. */
const script = [6, 7, 8, 8, 9, 8, 9, 10, 9];
const stepMilliseconds = 400;
const countMilliseconds = 300;
const countsInPhase = 5;

/** About three minutes of a job with three stages and two trainers. */
export function playRun(): PlayedRun {
  const run = new PlayedJob();
  run.gather();
  while (run.play.kind() !== 'finish') run.directive();
  run.play.tell({ kind: 'exported', weightsDigest: `sha256:${'9'.repeat(64)}` });
  run.tell();
  const report = buildReport(run.play.state, {
    weightsDigest: `sha256:${'9'.repeat(64)}`,
    dataDigest: `sha256:${'8'.repeat(64)}`,
    modelDigest: `sha256:${'7'.repeat(64)}`,
    seed: 7,
    loss: plainCrossEntropy,
    testIds: [],
    endedAt: run.play.now,
  });
  return { updates: run.updates, report, began: began };
}

class PlayedJob {
  readonly play = new Play(plan);
  readonly updates: PlayedUpdate[] = [];
  #told = 0;

  constructor() {
    this.play.now = began + 2000;
  }

  /** What a watcher gets now. */
  tell(beat: Partial<Heartbeat__Output> | null = null): void {
    const { state, now } = this.play;
    const events = state.outbox.filter(({ sequence }) => sequence > this.#told).map(eventLine);
    this.#told = state.eventSequence;
    const status = jobStatus(state, beat ? [aHeartbeat(beat), aHeartbeat(beat)] : [], now);
    this.updates.push({ at: now - began, update: overTheWire({ status, events }) });
  }

  gather(): void {
    this.play.tell({ kind: 'started' });
    this.tell();
    for (const index of [0, 1]) this.play.tell({ kind: 'hello', hello: aHello(index) });
    this.tell();
    const engineClass = { engine: 'tensorflow', version: '2.21.0', device: 'cpu', cpuFeatures: 'avx2', threads: 1 };
    for (const index of [0, 1]) {
      this.play.tell({ kind: 'ready', from: incarnationOf(index), ready: aReady({ engineClass, probeDigest: 'abc' }) });
      this.tell();
    }
    // One more comes, and computes other bits.
    this.play.tell({ kind: 'hello', hello: aHello(2) });
    const ready = aReady({ engineClass, probeDigest: 'def' });
    this.play.tell({ kind: 'ready', from: incarnationOf(2), ready });
    this.tell();
  }

  /** Carries out the current directive, with what trainers would say on the way. */
  directive(): void {
    const { work } = this.play.state.directive ?? {};
    if (work?.kind === 'train') this.#train(work.train.firstStep, work.train.lastStep, work.train.epoch);
    if (work?.kind === 'evaluate') this.#count('evaluate', work.split === 'test' ? 60 : 30);
    this.play.answer(script);
    this.tell({ step: this.play.state.cursor.step, phase: 'idle' });
  }

  #train(first: number, last: number, epoch: number): void {
    this.#count('features', 480, first - 1);
    if (epoch === 1) this.#badSample();
    for (let step = first; step <= last; step++) {
      this.play.now += stepMilliseconds;
      const loss = 2 / (1 + step / 12) + ((step * 7) % 5) / 40 + 0.05;
      this.tell({ step, phase: 'compute', loss, accuracy: 1 - loss / 4, samplesPerSecond: 320 + (step % 7) });
    }
  }

  #count(phase: string, total: number, step = this.play.state.cursor.step): void {
    for (let i = 0; i <= countsInPhase; i++) {
      this.play.now += countMilliseconds;
      this.tell({ step, phase, done: Math.round((total * i) / countsInPhase), total });
    }
  }

  #badSample(): void {
    const samples = [{ split: 'train', id: 'yes/0042.png', reason: 'found no PNG signature' }];
    this.play.tell({ kind: 'badSamples', from: incarnationOf(0), samples });
  }
}

function aHeartbeat(changes: Partial<Heartbeat__Output>): Heartbeat__Output {
  return {
    generation: 1,
    step: 0,
    phase: 'idle',
    ticks: 0,
    waitingFor: '',
    loss: 0,
    accuracy: 0,
    learningRate: 0.001,
    gradientNorm: 1,
    samplesPerSecond: 0,
    stepSeconds: 0.4,
    done: 0,
    total: 0,
    ...changes,
  };
}

const { responseSerialize, responseDeserialize } = loadThawProto().Jobs.service.Watch;

/** As the other side of a call gets it: every field there, every number a number. */
export function overTheWire(update: Parameters<typeof responseSerialize>[0]): JobUpdate__Output {
  return responseDeserialize(responseSerialize(update));
}
