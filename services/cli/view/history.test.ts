// The whole history of a run as it scrolls by on terminals of three widths, and as plain lines.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { foldUpdate } from './fold-update.ts';
import { type HistoryEntry, historyLines, historyOf } from './history.ts';
import type { JobEvent } from './job-event.ts';
import { paint } from './styled-line.ts';
import { matchesGolden } from './testing/golden.ts';
import { playRun } from './testing/played-run.ts';
import { initialViewState } from './view-state.ts';

const run = playRun();
const entries: HistoryEntry[] = [];
let state = initialViewState({ monotonic: 0, wall: run.began });
for (const { update } of run.updates) {
  const folded = foldUpdate(state, update);
  state = folded.state;
  entries.push(...folded.history);
}

for (const width of [120, 80, 40]) {
  it(`reads well at ${width} columns`, () => {
    const shown = entries.filter(({ minor }) => !minor).flatMap((entry) => historyLines(entry, width));
    matchesGolden(`history-${width}`, shown.map((spans) => `${paint(spans, false)}\n`).join(''));
  });
}

it('holds every event, whole, where nobody watches', () => {
  const shown = entries.flatMap((entry) => historyLines(entry, Number.POSITIVE_INFINITY));
  matchesGolden('history-plain', shown.map((spans) => `${paint(spans, false)}\n`).join(''));
});

it('says what the job’s user must not overlook, whole and as a warning', () => {
  const started: JobEvent = {
    kind: 'jobStarted',
    uid: 'u',
    name: 'skin',
    jobDigest: 'sha256:0',
    trainers: 2,
    shards: 8,
    stages: ['head'],
    warnings: ['it starts from random weights'],
    id: '1.1',
    sequence: 1,
    at: new Date(run.began).toISOString(),
  };
  assert.deepEqual(historyOf(started, initialViewState({ monotonic: 0, wall: run.began }))?.content, {
    kind: 'prose',
    text: 'job skin: 1 stage, 2 trainers, 8 shards. warning: it starts from random weights',
    style: 'warning',
  });
});

it('says what is left of the old task, in jobs that ask for it', () => {
  const view = initialViewState({ monotonic: 0, wall: run.began });
  const common = { id: '1.1', sequence: 1, at: new Date(run.began).toISOString() };
  const figures = { loss: 0.2, accuracy: 0.9, macroF1: 0.9, auc: 0.9, count: 500 };
  const retention = { accuracy: 0.875, loss: 0.4, drop: 0.025 };
  const events: readonly JobEvent[] = [
    { ...common, kind: 'oldTaskMeasured', oldTask: figures },
    { ...common, kind: 'epochEvaluated', stage: 0, epoch: 0, validation: figures, best: true, retention },
  ];
  const shown = events.map((event) =>
    historyLines(historyOf(event, view) as HistoryEntry, 120).map((spans) => paint(spans, false)),
  );
  assert.match(shown[0]?.join() ?? '', /old task before training: accuracy 90\.0 %, 500 samples$/);
  assert.match(shown[1]?.join() ?? '', /validation .* old task 87\.5 % \(-2\.5 points\)$/);
});

it('says who was lost, who left, how many are wanted, and that training stands still', () => {
  const view = initialViewState({ monotonic: 0, wall: run.began });
  const common = { id: '1.1', sequence: 1, at: new Date(run.began).toISOString() };
  for (const [event, style, text] of [
    [
      { kind: 'trainerLost', trainer: 'trainer-1', pid: 7, reason: 'was ended by SIGKILL' },
      'warning',
      'trainer-1 (pid 7) lost: was ended by SIGKILL',
    ],
    [
      { kind: 'trainerLeft', trainer: 'trainer-1', pid: 7, reason: 'the job wants 1 trainers' },
      'plain',
      'trainer-1 (pid 7) left: the job wants 1 trainers',
    ],
    [{ kind: 'trainersScaled', from: 1, to: 3 }, 'bold', 'scaled from 1 trainer to 3'],
    [
      { kind: 'trainingPaused', reason: '1 of at least 2 trainers are left', step: 9 },
      'warning',
      'paused after step 9: 1 of at least 2 trainers are left',
    ],
  ] as const) {
    const entry = historyOf({ ...common, ...event } as JobEvent, view) as HistoryEntry;
    const spans = historyLines(entry, 80).flat();
    assert.deepEqual([spans.at(-1)?.text, spans.at(-1)?.style, entry.minor], [text, style, false]);
  }
});

it('says in which order blocks thaw, and what becomes of a stage that is undone', () => {
  const seen = (index: number, name: string, firstEpoch: number) => ({ index, name, firstEpoch, best: null });
  const view = {
    ...initialViewState({ monotonic: 0, wall: run.began }),
    stagesTotal: 2,
    stages: [seen(0, 'head', 0), seen(1, 'block', 2)],
  };
  const common = { id: '1.1', sequence: 1, at: new Date(run.began).toISOString() };
  const ended = { stage: 1, name: 'block', reason: 'it fell', bestEpoch: 2, bestValue: 0.5, seconds: 3 };
  const rolledBack = { drop: 0.3, maxDrop: 0.1, toEpoch: 1 };
  const blocks = Array.from({ length: 9 }, (_, i) => ({
    block: `b${i}`,
    gradient: 1,
    weights: i + 2,
    ratio: 1 / (i + 2),
  }));
  for (const [event, said] of [
    [
      { kind: 'blocksRanked', stage: 0, samples: 64, blocks },
      /on 64 samples: b0 0\.5, b1 0\.333, .*b7 0\.111, and 1 more$/,
    ],
    [{ kind: 'stageEnded', ...ended, rolledBack }, /it fell; rolled back to epoch 2 of stage "head"$/],
    [
      { kind: 'stageEnded', ...ended, rolledBack: { ...rolledBack, toEpoch: null } },
      /rolled back to the pretrained weights/,
    ],
    [{ kind: 'stageEnded', ...ended }, /it fell; best epoch 1$/],
  ] as const) {
    const entry = historyOf({ ...common, ...event } as JobEvent, view) as HistoryEntry;
    assert.match(
      historyLines(entry, Number.POSITIVE_INFINITY)
        .map((spans) => paint(spans, false))
        .join(),
      said,
    );
  }
});
