// A finished run for tests of the page: decided by the real core, told by its real log, with the names that a test wants
// to see there.

import { confusionOf } from '@thaw/common/evaluation/confused-pairs.ts';
import { sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { eventLine } from '../../../core/event-log.ts';
import type { StagePlan } from '../../../core/job-plan.ts';
import { aPreparedJob } from '../../../testing/a-prepared-job.ts';
import { aPlan, aStage, Play, type Script } from '../../../testing/builders.ts';
import { buildReport, type Report, type TestReport } from '../../build-report.ts';
import type { PageData } from '../page-data.ts';
import { runHistory } from '../run-history.ts';

export interface SomeRun {
  readonly report: Report;
  /** Text of events.jsonl. */
  readonly log: string;
}

const twoStages: readonly StagePlan[] = [aStage(), aStage({ name: 'block' })];

/** `script`: right predictions of ten, by epoch; each stage has two. */
export function someRun(stages = twoStages, script: Script = [5, 8, 7, 9]): SomeRun {
  const play = new Play(aPlan({ stages })).gather(2).playOn(script);
  const report = buildReport(play.state, {
    weightsDigest: `sha256:${'9'.repeat(64)}`,
    dataDigest: `sha256:${'8'.repeat(64)}`,
    modelDigest: `sha256:${'7'.repeat(64)}`,
    seed: 7,
    loss: plainCrossEntropy,
    testIds: [],
    endedAt: play.now,
  });
  return { report, log: play.state.outbox.map((event) => `${eventLine(event)}\n`).join('') };
}

export interface SomeChanges {
  readonly test?: Partial<TestReport>;
  readonly report?: Partial<Report>;
  readonly script?: Script;
}

export function someData(changes: SomeChanges = {}): PageData {
  const { report, log } = someRun(twoStages, changes.script);
  const changed: Report = { ...report, ...changes.report, test: { ...report.test, ...changes.test } };
  return {
    report: changed,
    job: aPreparedJob({ stages: [aStage(), aStage()] }).job,
    origin: 'made up',
    endedAt: Date.UTC(2026, 0, 5, 12),
    history: runHistory(changed, log),
    thumbnails: changed.test.worstMistakes.map(() => ({ kind: 'none', reason: 'its file is no longer there' })),
    lookAlikes: [],
  };
}

/** Figures of `classes` named classes: each is right `hits` times and once taken for the next. */
export function someTest(names: readonly string[], hits = 9): Partial<TestReport> {
  const size = names.length;
  const confusion = names.map((_, row) =>
    names.map((_other, column) => (row === column ? hits : column === (row + 1) % size ? 1 : 0)),
  );
  const figures = { precision: 0.9, recall: 0.9, f1: 0.9, support: hits + 1 };
  return {
    classes: names,
    ...confusionOf(sparseOf(confusion.flat()), names),
    count: size * (hits + 1),
    accuracy: hits / (hits + 1),
    perClass: names.map((name) => ({ class: name, ...figures })),
  };
}
