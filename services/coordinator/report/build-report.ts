// report.json: what was run, how it went, and how good it is. Pure: made from the job's state alone. Fields are only
// ever added; `version` moves when one changes its meaning.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { type Confusion, confusionOf } from '@thaw/common/evaluation/confused-pairs.ts';
import type { Loss } from '@thaw/common/job/resolved-job.ts';
import type { EngineClass__Output } from '@thaw/proto/gen/thaw/v1/EngineClass.ts';
import { perClassMetrics } from '../core/evaluation.ts';
import { type FeatureGain, noFeatureGain } from '../core/feature-gain.ts';
import { rankingOf } from '../core/ranking.ts';
import type {
  BadSamples,
  Calibration,
  ClassMetrics,
  EpochRecord,
  JobState,
  Metrics,
  Ranking,
  Retention,
  RolledBack,
  StageRecord,
} from '../core/state.ts';
import { type CalibrationCell, calibrationFigures } from '../core/test-figures.ts';
import type { SplitCheck } from '../near-duplicates/split-check.ts';

export interface Report {
  readonly version: 1;
  readonly name: string;
  readonly uid: string;
  readonly jobDigest: string;
  readonly dataDigest: string;
  readonly modelDigest: string;
  readonly weightsDigest: string;
  readonly seed: number;
  readonly loss: Loss;
  readonly engineClass: EngineClass__Output;
  readonly probeDigest: string;
  /** What the user was warned of before the start, a sentence each; absent without one. */
  readonly warnings?: readonly string[];
  readonly trainers: readonly string[];
  readonly shards: number;
  readonly generations: number;
  /** Steps applied over the whole job. */
  readonly steps: number;
  /** Of them, those of stages that were trained before this run. */
  readonly stepsReused: number;
  /** How often the run was taken up again after a stop, and about how many steps that made be done twice; absent without one. */
  readonly resumes?: { readonly times: number; readonly stepsRedone: number };
  /** Without the time in which the job stood still; `training` leaves out reused stages. */
  readonly seconds: { readonly total: number; readonly training: number };
  readonly stages: readonly StageReport[];
  /** In which order blocks thawed, first to thaw first; absent in jobs that do not ask for it. */
  readonly ranking?: Ranking;
  readonly test: TestReport;
  /** The old task, before training; each epoch's figures are in its history. Absent without retention. */
  readonly oldTask?: OldTaskReport;
  readonly samples: Readonly<Record<string, number>>;
  readonly badSamples: BadSamples;
  /** What it brought; times depend on the machine, and what a disk held on what ran there before. */
  readonly featureCache?: FeatureGain;
  /** Pictures of the later sets that are alike one of an earlier set; absent where nobody looked. */
  readonly nearDuplicates?: SplitCheck;
}

export interface OldTaskReport {
  readonly before: Metrics;
  /** With the weights that were tested and exported. */
  readonly after: Retention | null;
  /** Null where it was only watched. */
  readonly maxDrop: number | null;
  readonly onExceed: 'stop' | 'rollback';
}

export interface StageReport {
  readonly name: string;
  readonly steps: number;
  readonly epochs: number;
  readonly ended: string;
  /** Of a stage that was undone: nothing of it is in the result. */
  readonly rolledBack?: RolledBack;
  readonly seconds: number;
  /** The run that has trained it, when it was another; times and history are of then. `trainedAt`: ISO 8601. */
  readonly reused: { readonly job: string; readonly uid: string; readonly trainedAt: string } | null;
  readonly best: { readonly epoch: number; readonly metric: string; readonly value: number };
  /** Validation at the stage's best epoch. */
  readonly validation: Metrics | null;
  readonly history: readonly EpochRecord[];
}

export interface TestReport extends Metrics, Confusion {
  /** Epoch whose weights were tested and exported. */
  readonly epoch: number;
  readonly badSamples: number;
  readonly perClass: readonly (ClassMetrics & { readonly class: string })[];
  readonly classes: readonly string[];
  /** One entry a tenth of the predicted class' probability, from 0 to 1; empty when the trainers did not say. */
  readonly calibration: readonly CalibrationCell[];
  /** With the temperature that predictions use; absent in jobs without output.calibrate. */
  readonly calibrated?: CalibratedReport;
  /** Surest first, at most 24. */
  readonly worstMistakes: readonly WorstMistake[];
}

export interface CalibratedReport extends Calibration {
  /** Of the test set; every other figure of the test is the model's as it is. */
  readonly crossEntropyBefore: number;
  readonly crossEntropyAfter: number;
  readonly calibration: readonly CalibrationCell[];
  /** Expected calibration error on the test set. */
  readonly errorBefore: number;
  readonly errorAfter: number;
}

export interface WorstMistake {
  /** The sample's id in the data set. */
  readonly id: string;
  /** Class names. */
  readonly truth: string;
  readonly prediction: string;
  /** Of the predicted class. */
  readonly probability: number;
}

export interface ReportFacts {
  readonly weightsDigest: string;
  readonly dataDigest: string;
  readonly modelDigest: string;
  readonly seed: number;
  readonly loss: Loss;
  /** Ids of the test set's samples, by their row. */
  readonly testIds: readonly string[];
  readonly nearDuplicates?: SplitCheck;
  /** Milliseconds since 1970: now. */
  readonly endedAt: number;
}

export function buildReport(state: JobState, facts: ReportFacts): Report {
  const { plan, engine, generation, stages } = state;
  invariant(engine !== null && generation !== null, 'a finished job has an engine and a generation');
  const { endedAt, testIds, ...digestsAndSeed } = facts;
  const ranking = rankingOf(state);
  return {
    version: 1,
    name: plan.name,
    uid: state.uid,
    jobDigest: plan.jobDigest,
    ...digestsAndSeed,
    engineClass: engine.engineClass,
    probeDigest: engine.probeDigest,
    ...(plan.warnings && { warnings: plan.warnings }),
    trainers: generation.members.map(({ name }) => name).sort(),
    shards: plan.shards,
    generations: generation.number,
    steps: state.cursor.step,
    stepsReused: stages.reduce((sum, { reused, steps }) => sum + (reused ? steps : 0), 0),
    ...resumesOf(state),
    seconds: {
      total: (endedAt - state.startedAt) / 1000,
      training: stages.reduce((sum, stage) => sum + (stage.reused ? 0 : stageSeconds(stage)), 0),
    },
    stages: stages.map((stage) => stageReport(state, stage)),
    ...(ranking && { ranking }),
    test: testReport(state, testIds),
    ...oldTaskReport(state),
    samples: plan.samples,
    badSamples: state.badSamples,
    featureCache: state.featureGain ?? noFeatureGain,
  };
}

function resumesOf({ resumed: { times, stepsRedone } }: JobState): Pick<Report, 'resumes'> {
  return times > 0 ? { resumes: { times, stepsRedone } } : {};
}

function oldTaskReport({ oldTask, plan, stages, test }: JobState): { readonly oldTask?: OldTaskReport } {
  if (!oldTask || !plan.retention) return {};
  const tested = stages.flatMap(({ epochs }) => epochs).find(({ epoch }) => epoch === test?.epoch);
  const { maxDrop, onExceed } = plan.retention;
  return { oldTask: { before: oldTask, after: tested?.retention ?? null, maxDrop, onExceed } };
}

function stageReport({ plan }: JobState, stage: StageRecord): StageReport {
  const { epochs, best, reused, endedAt, rolledBack } = stage;
  const ofBest = epochs.find(({ epoch }) => epoch === best?.epoch);
  const { name = '', metric = 'loss' } = plan.stages[stage.stage] ?? {};
  return {
    name,
    steps: stage.steps,
    epochs: stage.epochsDone,
    ended: stage.ended ?? '',
    ...(rolledBack && { rolledBack }),
    seconds: stageSeconds(stage),
    reused: reused && { ...reused, trainedAt: new Date(endedAt ?? 0).toISOString() },
    best: { epoch: best?.epoch ?? 0, metric, value: best?.value ?? 0 },
    validation: ofBest?.validation ?? null,
    history: epochs,
  };
}

function stageSeconds({ startedAt, endedAt }: StageRecord): number {
  return ((endedAt ?? startedAt) - startedAt) / 1000;
}

function testReport(state: JobState, testIds: readonly string[]): TestReport {
  const { test, plan, pending } = state;
  const confusion = pending.testConfusion;
  invariant(test !== null && confusion !== null, 'the test set was evaluated');
  const { stage: _, crossEntropy: _entropy, ...figures } = test;
  return {
    ...figures,
    perClass: perClassMetrics(confusion, plan.classes.length).map(({ predicted: _guesses, ...ofClass }, i) => ({
      class: plan.classes[i] as string,
      ...ofClass,
    })),
    ...confusionOf(confusion, plan.classes),
    classes: plan.classes,
    calibration: pending.testFigures?.calibration ?? [],
    ...calibratedReport(state),
    worstMistakes: (pending.testFigures?.worstMistakes ?? []).map(({ sample, truth, prediction, probability }) => ({
      id: testIds[sample] ?? `sample ${sample}`,
      truth: plan.classes[truth] as string,
      prediction: plan.classes[prediction] as string,
      probability,
    })),
  };
}

function calibratedReport({ calibration, test, pending }: JobState): { readonly calibrated?: CalibratedReport } {
  const figures = pending.testFigures;
  if (calibration === undefined || test?.crossEntropy === undefined || figures === null) return {};
  return {
    calibrated: {
      ...calibration,
      crossEntropyBefore: test.crossEntropy.plain,
      crossEntropyAfter: test.crossEntropy.tempered,
      calibration: figures.temperedCalibration,
      errorBefore: calibrationFigures(figures.calibration).error,
      errorAfter: calibrationFigures(figures.temperedCalibration).error,
    },
  };
}
