// What members report, checked against each other: equal states after an epoch, every part of an evaluation once, a
// digest from the member that was asked to store. Any difference stops the job and names who differs.

import { canonicalJson, type Digest } from '@thaw/common/content/digest.ts';
import { assertNever, invariant } from '@thaw/common/errors/thaw-error.ts';
import { bestTemperature } from '@thaw/common/evaluation/temperature.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import type { Ranked__Output } from '@thaw/proto/gen/thaw/v1/Ranked.ts';
import type { Report__Output } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { Trained__Output } from '@thaw/proto/gen/thaw/v1/Trained.ts';
import { whoDiffers } from './divergence.ts';
import { evaluatedProblem, metricsOf, sumEvaluated } from './evaluation.ts';
import { record } from './event-log.ts';
import type { Decision } from './events.ts';
import { fail, failWith } from './failing.ts';
import { addFeatureWork, noFeatureGain } from './feature-gain.ts';
import { onHalted, onHandedOver } from './halting.ts';
import { exceeds, judgeEpoch } from './judge.ts';
import { keptEpochs } from './kept-epochs.ts';
import { allResults, type Result, withResult } from './pending.ts';
import {
  beginStages,
  enterNextStage,
  evaluateEpoch,
  evaluateOldTask,
  exportResult,
  goOnAfterEpoch,
  goOnRanked,
  rollBackStage,
  stagePlan,
  storeState,
  test,
} from './progression.ts';
import { normsProblem, rankBlocks } from './ranking.ts';
import { chosenWeights } from './standing.ts';
import {
  currentStage,
  type EpochRecord,
  type EvaluatedSet,
  type Generation,
  isTerminal,
  type JobState,
  type Metrics,
  type StageRecord,
  type StoredState,
  sourceEpoch,
  type Work,
} from './state.ts';
import { figuresProblem, testFigures } from './test-figures.ts';

export function onReport(state: JobState, now: number, from: string, report: Report__Output): Decision {
  const { directive, generation } = state;
  const current = directive && generation && report.revision === directive.revision && !isTerminal(state);
  const index = generation?.members.findIndex(({ incarnation }) => incarnation === from) ?? -1;
  if (!current || index < 0) return { state, effects: [] };
  const { work } = directive;
  const problem = reportProblem(state, work, index, report);
  if (problem) {
    const trainer = generation.members[index]?.name ?? from;
    return fail(state, now, { code: 'ProtocolViolation', message: `${trainer} ${problem}`, trainer });
  }
  const noted = withResult(state, from, report);
  const results = allResults(noted, generation);
  if (!results) return { state: noted, effects: [] };
  const works = results.flatMap(({ features }) => features ?? []);
  const featureGain = addFeatureWork(noted.featureGain ?? noFeatureGain, works);
  return onAllReported({ ...noted, featureGain }, now, work, results);
}

/** What is wrong with a report by itself, in words that follow the trainer's name. */
function reportProblem(state: JobState, work: Work, member: number, report: Report__Output): string | null {
  switch (work.kind) {
    case 'train':
      if (!report.trained) return `answered ${report.result}; expected trained`;
      if (report.trained.appliedStep === work.train.lastStep) return null;
      return `reports step ${report.trained.appliedStep} at the end of an epoch that ends with ${work.train.lastStep}`;
    case 'evaluate': {
      if (!report.evaluated) return `answered ${report.result}; expected evaluated`;
      const classes = classesOf(state, work.split);
      const { parts } = report.evaluated;
      const samples = state.plan.samples[work.split] ?? 0;
      return (
        evaluatedProblem(report.evaluated, { member, classes, ...work }) ??
        firstProblem(parts, (part) => figuresProblem(part, { classes, samples }))
      );
    }
    case 'halt':
      return report.halted ? null : `answered ${report.result}; expected halted`;
    case 'store':
    case 'handOver':
      if (!report.stored) return `answered ${report.result}; expected stored`;
      return member === work.member && report.stored.digest === '' ? 'stored no state when asked to' : null;
    case 'rank':
      return report.ranked ? normsProblem(report.ranked) : `answered ${report.result}; expected ranked`;
    case 'finish':
      return null;
    default:
      return assertNever(work, 'work');
  }
}

function firstProblem(
  parts: readonly EvaluatedPart__Output[],
  problemOf: (part: EvaluatedPart__Output) => string | null,
): string | null {
  for (const part of parts) {
    const problem = problemOf(part);
    if (problem) return `reported part ${part.part}, which ${problem}`;
  }
  return null;
}

function onAllReported(state: JobState, now: number, work: Work, results: readonly Result[]): Decision {
  switch (work.kind) {
    case 'train':
      return onTrained(
        state,
        now,
        work.train.lastStep,
        results.flatMap(({ trained }) => trained ?? []),
      );
    case 'halt':
      return onHalted(state, now, work, results);
    case 'handOver':
      return onHandedOver(state, now, work, results);
    case 'evaluate':
      if (work.split === 'retention') return onOldTask(state, now, results);
      if (work.split === 'test') return onTested(state, now, results);
      return work.temperatures.length > 0 ? onFitted(state, now, results) : onEvaluated(state, now, results);
    case 'store':
      return onStored(state, now, work, results[work.member] as Result);
    case 'rank':
      return onRanked(state, now, results);
    case 'finish':
      return { state, effects: [] };
    default:
      return assertNever(work, 'work');
  }
}

function onTrained(state: JobState, now: number, lastStep: number, trained: readonly Trained__Output[]): Decision {
  const generation = state.generation as Generation;
  const names = generation.members.map(({ name }) => name);
  const touched = names.filter((_, i) => !trained[i]?.frozenIntact);
  if (touched.length > 0) {
    const message = `after step ${lastStep}, frozen tensors differ from the source on ${touched.join(', ')}`;
    return fail(state, now, { code: 'FrozenChanged', message, trainer: touched[0] as string, step: lastStep });
  }
  const difference = whoDiffers(names, trained.map(stateSaid));
  if (difference) return failWith(state, now, 'StateDiverged', `after step ${lastStep}, ${difference}`);
  const epoch = epochRecord(state, now, trained);
  const stage = currentStage(state);
  const changes = {
    steps: stage.steps + epoch.steps,
    epochsDone: stage.epochsDone + 1,
    epochs: keptEpochs([...stage.epochs, epoch], stage.best?.epoch, state.plan),
  };
  const cursor = { ...state.cursor, step: lastStep };
  const next = withStage({ ...state, cursor, resumed: { ...state.resumed, at: null } }, changes);
  return evaluateEpoch(
    record(next, now, {
      kind: 'epochTrained',
      stage: stage.stage,
      epoch: epoch.epoch,
      step: lastStep,
      loss: epoch.loss,
      accuracy: epoch.accuracy,
      learningRate: epoch.learningRate,
      seconds: epoch.trainSeconds,
      secondsByPart: epoch.seconds,
      reducedBytes: epoch.reducedBytes,
    }),
  );
}

function stateSaid({ stateDigest, lossSum, count, correct }: Trained__Output): string {
  return `${stateDigest} (${count} samples, ${correct} correct, loss sum ${lossSum})`;
}

function epochRecord(state: JobState, now: number, trained: readonly Trained__Output[]): EpochRecord {
  const [{ lossSum, penaltySum, count, correct, stepsSkipped, learningRate, stateDigest }] = trained as [
    Trained__Output,
  ];
  const { cursor, directive } = state;
  const train = directive?.work.kind === 'train' ? directive.work.train : null;
  const steps = train ? train.lastStep - train.epochFirstStep + 1 : 0;
  const largest = (part: 'data' | 'features' | 'compute' | 'exchange' | 'apply'): number =>
    Math.max(...trained.map(({ seconds }) => seconds?.[part] ?? 0));
  const penalty = penaltySum / fixedPointScale / Math.max(steps - stepsSkipped, 1);
  return {
    epoch: cursor.epoch,
    steps,
    loss: lossSum / (Math.max(count, 1) * fixedPointScale) + penalty,
    penalty,
    accuracy: correct / Math.max(count, 1),
    learningRate,
    stepsSkipped,
    trainSeconds: (now - cursor.epochStartedAt) / 1000,
    seconds: {
      data: largest('data'),
      features: largest('features'),
      compute: largest('compute'),
      exchange: largest('exchange'),
      apply: largest('apply'),
    },
    reducedBytes: trained.reduce((sum, { seconds }) => sum + (seconds?.reducedBytes ?? 0), 0),
    stateDigest,
    validation: null,
  };
}

function onEvaluated(state: JobState, now: number, results: readonly Result[]): Decision {
  const { epochs } = currentStage(state);
  const validation = measured(state, 'validation', results);
  const last = epochs.at(-1) as EpochRecord;
  const next = withStage(state, { epochs: [...epochs.slice(0, -1), { ...last, validation }] });
  return state.plan.retention ? evaluateOldTask(next, { isBefore: false }) : onMeasured(next, now);
}

function measured(state: JobState, split: EvaluatedSet, results: readonly Result[]): Metrics {
  return metricsOf(sumEvaluated(results.flatMap(({ evaluated }) => evaluated ?? [])), classesOf(state, split));
}

function classesOf({ plan }: JobState, split: EvaluatedSet): number {
  return split === 'retention' ? (plan.retention?.classes ?? 0) : plan.classes.length;
}

function onOldTask(state: JobState, now: number, results: readonly Result[]): Decision {
  const found = measured(state, 'retention', results);
  const { oldTask } = state;
  if (!oldTask)
    return beginStages(record({ ...state, oldTask: found }, now, { kind: 'oldTaskMeasured', oldTask: found }), now);
  const { accuracy, loss } = found;
  const { epochs } = currentStage(state);
  const last = epochs.at(-1) as EpochRecord;
  const retention = { accuracy, loss, drop: oldTask.accuracy - accuracy };
  return onMeasured(withStage(state, { epochs: [...epochs.slice(0, -1), { ...last, retention }] }), now);
}

/** The epoch's last evaluation is there. */
function onMeasured(state: JobState, now: number): Decision {
  const stage = currentStage(state);
  const { epoch, validation, retention } = stage.epochs.at(-1) as EpochRecord;
  invariant(validation !== null, 'an epoch is judged once it is validated');
  const { maxDrop = null } = state.plan.retention ?? {};
  const { isBest, best, plateau, ended } = judgeEpoch(stagePlan(state, stage.stage), stage, {
    epoch: state.cursor.epoch,
    epochInStage: state.cursor.epochInStage,
    validation,
    ...(retention && { retention: { drop: retention.drop, maxDrop } }),
  });
  const judged = record(withStage(state, { best, plateau, ended }), now, {
    kind: 'epochEvaluated',
    stage: stage.stage,
    epoch,
    validation,
    best: isBest,
    ...(retention && { retention }),
  });
  const { drop = 0 } = retention ?? {};
  if (state.plan.retention?.onExceed === 'rollback' && exceeds(drop, maxDrop)) {
    return rollBackStage(judged, now, { drop, maxDrop });
  }
  return isBest || ended !== null ? storeState(judged, isBest) : goOnAfterEpoch(judged, now);
}

function onStored(state: JobState, now: number, work: Extract<Work, { kind: 'store' }>, result: Result): Decision {
  const { digest, bytes } = result.stored ?? { digest: '', bytes: 0 };
  const { epoch } = state.cursor;
  if (state.stages.length === 0) {
    return enterNextStage({ ...state, held: { digest: digest as Digest, bytes, epoch: sourceEpoch } }, now);
  }
  const stored: StoredState = { digest: digest as Digest, bytes, epoch };
  const stage = currentStage(state);
  const best = work.isBest && stage.best ? { ...stage.best, stored } : stage.best;
  const noted = record({ ...withStage(state, { best }), held: stored }, now, {
    kind: 'stateStored',
    stage: stage.stage,
    epoch,
    digest,
    bytes,
    best: work.isBest,
  });
  return goOnAfterEpoch(noted, now);
}

/** Integer sums and equal weights give equal norms: a member that differs computes other bits. */
function onRanked(state: JobState, now: number, results: readonly Result[]): Decision {
  const names = state.generation?.members.map(({ name }) => name) ?? [];
  const measured = results.flatMap(({ ranked }) => ranked ?? []);
  const [first] = measured as [Ranked__Output];
  const differs = measured.findIndex((one) => canonicalJson(one) !== canonicalJson(first));
  if (differs < 0) return goOnRanked(state, now, rankBlocks(first));
  const trainer = names[differs] as string;
  const message = `${trainer} and ${names[0]} measured other norms of the same blocks`;
  return fail(state, now, { code: 'StateDiverged', message, trainer });
}

function onFitted(state: JobState, now: number, results: readonly Result[]): Decision {
  const { count, temperedLossSums } = sumEvaluated(results.flatMap(({ evaluated }) => evaluated ?? []));
  const calibration = { temperature: bestTemperature(temperedLossSums), samples: count };
  return test(record({ ...state, calibration }, now, { kind: 'calibrated', ...calibration }));
}

function onTested(state: JobState, now: number, results: readonly Result[]): Decision {
  const classes = state.plan.classes.length;
  const evaluated = results.flatMap((result) => result.evaluated ?? []);
  const sums = sumEvaluated(evaluated);
  const metrics = metricsOf(sums, classes);
  const perSample = (sum: number): number => sum / fixedPointScale / Math.max(1, sums.count);
  const [tempered, plain] = sums.temperedLossSums.map(perSample);
  const crossEntropy = tempered === undefined || plain === undefined ? {} : { crossEntropy: { tempered, plain } };
  const { stage, epoch } = chosenWeights(state);
  const tested: JobState = {
    ...state,
    test: { ...metrics, badSamples: sums.badSamples, stage, epoch, ...crossEntropy },
    pending: {
      ...state.pending,
      testConfusion: sums.confusion,
      testFigures: testFigures(evaluated.flatMap(({ parts }) => parts)),
    },
  };
  return exportResult(record(tested, now, { kind: 'tested', test: metrics, epoch }));
}

function withStage(state: JobState, changes: Partial<StageRecord>): JobState {
  return { ...state, stages: [...state.stages.slice(0, -1), { ...currentStage(state), ...changes }] };
}
