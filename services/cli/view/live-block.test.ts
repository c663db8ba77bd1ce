// Golden frames of the moments that look different, and the law that no line is wider than it may be.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { JobUpdate } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import fc from 'fast-check';
import { foldUpdate } from './fold-update.ts';
import { historyLines } from './history.ts';
import { liveBlock } from './live-block.ts';
import { lineWidth, paint } from './styled-line.ts';
import { matchesGolden } from './testing/golden.ts';
import { overTheWire, type PlayedUpdate, playRun } from './testing/played-run.ts';
import { initialViewState, type ViewState } from './view-state.ts';

const run = playRun();
const start = initialViewState({ monotonic: 0, wall: run.began });

/** The run up to the first update that is like this, and its moment. */
function until(found: (update: PlayedUpdate) => boolean): { readonly state: ViewState; readonly now: number } {
  const index = run.updates.findIndex(found);
  assert.notEqual(index, -1);
  const state = run.updates.slice(0, index + 1).reduce((before, { update }) => foldUpdate(before, update).state, start);
  return { state, now: run.updates[index]?.at ?? 0 };
}

function during(phase: string, stage: number, epoch: number) {
  return ({ update: { status } }: PlayedUpdate): boolean => {
    const { progress } = status ?? {};
    const here = progress?.stage === stage && progress.epochInStage === epoch;
    return (
      here && (progress.phase === phase || status?.state === phase) && (phase !== 'compute' || progress.stepInEpoch > 9)
    );
  };
}

const moments = {
  'starting a process': { state: { ...start, starting: 'coordinator' }, now: 3100 },
  'gathering trainers': until(({ update }) => update.status?.trainersReady === 1),
  'computing features': until(during('features', 0, 0)),
  'training the first epoch': until(during('compute', 0, 0)),
  'training a later stage': until(during('compute', 2, 1)),
  validating: until(during('evaluate', 0, 1)),
  storing: until(during('Storing', 0, 2)),
  exporting: until(({ update }) => update.status?.state === 'Exporting'),
};

for (const width of [120, 80, 40, 20]) {
  it(`draws every moment at ${width} columns`, () => {
    const frames = Object.entries(moments).map(([name, { state, now }]) => {
      const lines = liveBlock(state, width, now).map((spans) => paint(spans, false));
      return [`# ${name}`, ...lines.slice(1), ''].join('\n');
    });
    matchesGolden(`live-block-${width}`, frames.join('\n'));
  });
}

it('has as many lines at every moment of a stage, so that it does not jump', () => {
  const { 'starting a process': _, 'gathering trainers': __, ...stages } = moments;
  for (const { state, now } of Object.values(stages)) assert.equal(liveBlock(state, 80, now).length, 6);
});

const anyName = fc.string({ unit: 'grapheme', maxLength: 60 });
const anyNumber = fc.oneof(fc.double(), fc.nat(), fc.constantFrom(0, 1, 1e300, -5, Number.NaN));
const anyCount = fc.nat({ max: 2_000_000_000 });
const anyProgress = fc.record({
  stage: fc.nat(99),
  stages: fc.nat(99),
  stageName: anyName,
  epochInStage: anyCount,
  epochsInStage: anyCount,
  step: anyCount,
  stepInEpoch: anyCount,
  stepsInEpoch: anyCount,
  phase: fc.constantFrom('loading', 'idle', 'features', 'compute', 'exchange', 'apply', 'evaluate', ''),
  phaseDone: anyCount,
  phaseTotal: anyCount,
  loss: anyNumber,
  accuracy: anyNumber,
  validationLoss: anyNumber,
  validationAccuracy: anyNumber,
  hasValidation: fc.boolean(),
  samplesPerSecond: anyNumber,
  remainingSeconds: anyNumber,
});
const phases = [
  'Preparing',
  'Gathering',
  'Training',
  'Evaluating',
  'Storing',
  'Exporting',
  'Succeeded',
  'Failed',
  'Cancelled',
];
const anyStatus = fc.record({
  state: fc.constantFrom(...phases),
  reason: anyName,
  trainersReady: anyCount,
  trainersWanted: anyCount,
  progress: anyProgress,
});
const metrics = fc.record({
  loss: anyNumber,
  accuracy: anyNumber,
  macroF1: anyNumber,
  auc: anyNumber,
  count: anyCount,
});
const stage = fc.nat(5);
const epoch = fc.nat(50);
const anyEntry = fc.oneof(
  fc.record({
    kind: fc.constant('jobStarted'),
    name: anyName,
    trainers: stage,
    shards: stage,
    stages: fc.array(anyName),
  }),
  fc.record({ kind: fc.constant('trainerRefused'), trainer: anyName, code: fc.constant('Internal'), message: anyName }),
  fc.record({ kind: fc.constant('stageStarted'), stage, name: anyName, epochsMax: epoch, stepsMax: anyCount }),
  fc.record({
    kind: fc.constant('epochTrained'),
    stage,
    epoch,
    loss: anyNumber,
    accuracy: anyNumber,
    learningRate: anyNumber,
    seconds: anyNumber,
  }),
  fc.record({ kind: fc.constant('epochEvaluated'), stage, epoch, validation: metrics, best: fc.boolean() }),
  fc.record({
    kind: fc.constant('stageEnded'),
    stage,
    name: anyName,
    reason: anyName,
    bestEpoch: epoch,
    seconds: anyNumber,
  }),
  fc.record({
    kind: fc.constant('badSamples'),
    samples: fc.array(fc.record({ split: fc.constant('train'), id: anyName, reason: anyName }), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  fc.record({ kind: fc.constant('tested'), test: metrics, epoch }),
);
const anyUpdate = fc.record({ status: anyStatus, entries: fc.array(anyEntry, { maxLength: 3 }) });

it('never makes a line wider than the terminal, for any run and any width from 10 to 200', () => {
  fc.assert(
    fc.property(
      fc.array(anyUpdate, { maxLength: 6 }),
      fc.integer({ min: 10, max: 200 }),
      anyName,
      (updates, width, what) => {
        let state: ViewState = { ...start, starting: what };
        let sequence = 0;
        const check = (lines: ReturnType<typeof liveBlock>): void => {
          for (const spans of lines) assert.ok(lineWidth(spans) <= width, `${paint(spans, false)} is over ${width}`);
        };
        check(liveBlock(state, width, 0));
        for (const { status, entries } of updates) {
          const at = new Date(run.began + sequence * 1e6).toISOString();
          const events = entries.map((entry) => JSON.stringify({ id: '1', sequence: ++sequence, at, ...entry }));
          const update: JobUpdate = { status, events };
          const folded = foldUpdate(state, overTheWire(update));
          state = folded.state;
          check(folded.history.flatMap((entry) => historyLines(entry, width)));
          check(liveBlock(state, width, sequence * 1e7));
        }
      },
    ),
  );
});
