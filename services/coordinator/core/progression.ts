// The order of a job's work: train an epoch, evaluate it, store it when it is the best or the stage's last, go on with
// the next epoch or stage, and after the last one test the chosen weights. Each function takes a state whose members
// have all reported and issues the next directive. A job with retention measures the old task first, and in every epoch.

import { assignParts } from '@thaw/common/data/evaluation-parts.ts';
import { assertNever, invariant } from '@thaw/common/errors/thaw-error.ts';
import { temperatureGrid } from '@thaw/common/evaluation/temperature.ts';
import { sourceState } from '@thaw/proto/source-state.ts';
import { chosenMembers } from './choose-members.ts';
import { issueDirective } from './directive.ts';
import { record } from './event-log.ts';
import type { Decision } from './events.ts';
import { fail } from './failing.ts';
import { formGeneration, recordGeneration } from './generation.ts';
import { epochsOf, type StagePlan, stepsInEpoch } from './job-plan.ts';
import { keepStage } from './kept-stage.ts';
import { epochStart } from './progress.ts';
import { needsRanking } from './ranking.ts';
import { withSchedule } from './snapshots.ts';
import { inputAfter, stageKey } from './stage-key.ts';
import { chosenWeights, entryOf, lastStanding } from './standing.ts';
import { withoutPause } from './standstill.ts';
import {
  currentStage,
  type EvaluatedSet,
  type JobState,
  type Ranking,
  type RolledBack,
  type StageRecord,
  type StoredState,
  sourceEpoch,
  type TrainWork,
  type Work,
} from './state.ts';

/** The wanted trainers are ready: forms their generation and enters the first stage that is not trained yet. */
export function beginTraining(state: JobState, now: number): Decision {
  const generation = formGeneration(state, chosenMembers(state), state.cursor.step + 1);
  const formed = recordGeneration(generation, now, 'every trainer is ready');
  if (state.resumed.at)
    return trainEpoch(withoutPause(formed, now), now, { ...takenUp(state), restoreDigest: state.resumed.at.state });
  return state.plan.retention ? evaluateOldTask(formed, { isBefore: true }) : beginStages(formed, now);
}

/** A snapshot of a stage's very beginning was taken before anybody had reset anything. */
function takenUp(state: JobState): Pick<Entry, 'resetOptimizer'> {
  const { stage, step, stageFirstStep } = state.cursor;
  const isBeginning = stage > 0 && step + 1 === stageFirstStep;
  return { resetOptimizer: isBeginning && stagePlan(state, stage).optimizerState === 'reset' };
}

/** The first stage that is not trained yet, or what follows when there is none. */
export function beginStages(state: JobState, now: number): Decision {
  const isStored = state.stages.length > 0 || state.held !== null;
  return mayRollBack(state) && !isStored ? storeSource(state) : enterNextStage(state, now);
}

function mayRollBack({ plan }: JobState): boolean {
  return plan.retention?.maxDrop != null && plan.retention.onExceed === 'rollback';
}

export function enterNextStage(state: JobState, now: number): Decision {
  const next = state.stages.length;
  if (needsRanking(state, next)) return measureBlocks(state);
  return next < state.plan.stages.length ? enterStage(state, now, next) : afterLastStage(state, now);
}

function enterStage(state: JobState, now: number, stage: number): Decision {
  const plan = stagePlan(state, stage);
  const firstStep = state.cursor.step + 1;
  const previous = state.stages.at(-1);
  const input = previous && state.held ? inputAfter(state.stages, state.held) : null;
  const entry = entryOf(state, plan);
  const opened: StageRecord = {
    stage,
    key: stageKey(state, stage, input),
    reused: null,
    startedAt: now,
    endedAt: null,
    ended: null,
    firstStep,
    steps: 0,
    epochsDone: 0,
    epochs: [],
    plateau: null,
    ...(mayRollBack(state) && entry && { entry }),
    best: null,
  };
  const entered = record({ ...state, stages: [...state.stages, opened] }, now, {
    kind: 'stageStarted',
    stage,
    name: plan.name,
    epochsMax: epochsOf(plan),
    stepsMax: plan.steps,
  });
  const restoreDigest = beginningWith(state, entry);
  const epoch = previous ? state.cursor.epoch + 1 : 0;
  const cursor = { ...state.cursor, stage, epochInStage: 0, epoch, stageFirstStep: firstStep };
  const resetOptimizer = previous !== undefined && plan.optimizerState === 'reset';
  return trainEpoch({ ...entered, cursor }, now, { restoreDigest, resetOptimizer });
}

/** Before the first stage that is the source, which members need not hold: they may have trained, and lost, another run of it. */
function beginningWith(state: JobState, entry: StoredState | null): string {
  return state.stages.length > 0 && entry ? restoreOf(state, entry) : sourceState;
}

/** What members restore after a finished stage; empty when they hold just that state. */
function restoreOf(state: JobState, { digest, epoch }: StoredState): string {
  // Members hold what they have trained: of a stage that was reused nothing, and after blocks were ranked what these
  // were measured with. What a stage that was undone goes back to is of an earlier epoch.
  const isRanked = state.directive?.work.kind === 'rank';
  return currentStage(state).reused === null && !isRanked && epoch === state.cursor.epoch ? '' : digest;
}

/** With the best weights of the stage before, whatever the next one begins with. */
function measureBlocks(state: JobState): Decision {
  const entry = entryOf(state, { onEnter: 'restoreBest' });
  const measuring: JobState = { ...state, phase: 'Evaluating', reason: 'measuring which blocks to thaw first' };
  const restoreDigest = beginningWith(state, entry);
  return issueDirective(measuring, {
    kind: 'rank',
    stage: state.stages.length,
    step: state.cursor.step,
    restoreDigest,
  });
}

/** After all members have measured the same. */
export function goOnRanked(state: JobState, now: number, ranking: Ranking): Decision {
  const stages = [...state.stages.slice(0, -1), { ...currentStage(state), ranking }];
  const ranked = record({ ...state, stages }, now, {
    kind: 'blocksRanked',
    stage: currentStage(state).stage,
    ...ranking,
  });
  const next = enterNextStage(ranked, now);
  return { state: next.state, effects: [...next.effects, keepStage(ranked)] };
}

interface Entry {
  readonly restoreDigest: string;
  readonly resetOptimizer: boolean;
}

const goOn: Entry = { restoreDigest: '', resetOptimizer: false };

/** All of the epoch, or what is left of one that is taken up again. */
function trainEpoch(state: JobState, now: number, entry: Entry = goOn): Decision {
  const { stage, epochInStage, epoch, step, stageFirstStep } = state.cursor;
  const plan = stagePlan(state, stage);
  const { at } = state.resumed;
  const epochFirstStep = epochStart(state);
  const lastStep = epochFirstStep + stepsInEpoch(plan, epochInStage) - 1;
  invariant(at !== null || step + 1 === epochFirstStep, `epoch ${epoch} begins after step ${step}`);
  const cursor = at ? state.cursor : { ...state.cursor, epochStartedAt: now };
  const steps = { firstStep: step + 1, lastStep, stageFirstStep, epochFirstStep, soFar: at?.sums ?? null };
  return directTraining({ ...state, cursor }, { stage, epoch, ...steps, ...entry, restoring: [], snapshotMember: 0 });
}

export function directTraining(state: JobState, train: TrainWork): Decision {
  const plan = stagePlan(state, train.stage);
  const reason = `stage "${plan.name}", epoch ${state.cursor.epochInStage + 1} of at most ${epochsOf(plan)}`;
  const { state: directed, effects } = issueDirective(
    { ...state, phase: 'Training', reason },
    { kind: 'train', train },
  );
  return { state: withSchedule(directed), effects };
}

export function evaluateEpoch(state: JobState): Decision {
  return evaluate({ ...state, phase: 'Evaluating', reason: 'validating' }, { split: 'validation', restoreDigest: '' });
}

/** Before training the source itself; afterwards what was trained, which members hold. */
export function evaluateOldTask(state: JobState, { isBefore }: { readonly isBefore: boolean }): Decision {
  const reason = isBefore ? 'the old task before training' : 'what is left of the old task';
  const restoreDigest = isBefore ? sourceState : '';
  return evaluate({ ...state, phase: 'Evaluating', reason }, { split: 'retention', restoreDigest });
}

interface Evaluation {
  readonly split: EvaluatedSet;
  readonly restoreDigest: string;
  readonly temperatures?: readonly number[];
  /** Whose network; the cursor's stage unless said. */
  readonly stage?: number;
}

function evaluate(state: JobState, { split, restoreDigest, temperatures = [], ...of }: Evaluation): Decision {
  const { stage = state.cursor.stage } = of;
  const { epoch } = state.cursor;
  const partOwners = ownersOf(state, split);
  return issueDirective(state, { kind: 'evaluate', stage, epoch, split, partOwners, restoreDigest, temperatures });
}

function ownersOf({ plan, generation }: JobState, split: EvaluatedSet): readonly number[] {
  return assignParts(plan.parts[split] ?? 0, generation?.members.length ?? 0);
}

/** The same work, of other members: what the former ones found is dropped. */
export function directAgain(state: JobState, work: Exclude<Work, { kind: 'train' | 'halt' | 'handOver' }>): Decision {
  switch (work.kind) {
    case 'evaluate':
      return issueDirective(state, { ...work, partOwners: ownersOf(state, work.split) });
    case 'store':
      return issueDirective(state, { ...work, member: 0 });
    case 'rank':
    case 'finish':
      return issueDirective(state, work);
    default:
      return assertNever(work, 'work');
  }
}

/** The member 0 stores what all of them hold. The snapshot is the same bytes whenever and by whomever it is made. */
export function storeState(state: JobState, isBest: boolean): Decision {
  return store(state, { isBest, reason: isBest ? 'a new best epoch' : 'end of a stage' });
}

/** What the first stage begins with, should it have to be undone. */
function storeSource(state: JobState): Decision {
  return store(state, { isBest: false, reason: 'what training begins with' });
}

function store(state: JobState, { isBest, reason }: { readonly isBest: boolean; readonly reason: string }): Decision {
  const { stages, cursor, version } = state;
  const { best = null, plateau = null } = stages.at(-1) ?? {};
  const { epochStartedAt: _, ...place } = cursor;
  const scheduleState = JSON.stringify({ version, cursor: place, best, plateau, stages: stages.length });
  return issueDirective({ ...state, phase: 'Storing', reason }, { kind: 'store', member: 0, scheduleState, isBest });
}

/** After an epoch is evaluated and stored: the next epoch, the next stage, or the test. */
export function goOnAfterEpoch(state: JobState, now: number): Decision {
  const { cursor } = state;
  const stage = currentStage(state);
  if (stage.ended === null) {
    const { epochInStage, epoch } = cursor;
    return trainEpoch({ ...state, cursor: { ...cursor, epochInStage: epochInStage + 1, epoch: epoch + 1 } }, now);
  }
  return leaveStage(state, now);
}

function leaveStage(state: JobState, now: number): Decision {
  const closed = closeStage(state, now);
  const next = enterNextStage(closed, now);
  return { state: next.state, effects: [...next.effects, keepStage(closed)] };
}

/** Undoes the current stage: what it began with is in force again, as if the stage were not there. Counters go on. */
export function rollBackStage(state: JobState, now: number, why: Omit<RolledBack, 'toEpoch'>): Decision {
  const { entry, best, ...stage } = currentStage(state);
  invariant(entry !== undefined, 'a stage that may be rolled back knows what it began with');
  const rolledBack: RolledBack = { ...why, toEpoch: entry.epoch === sourceEpoch ? null : entry.epoch };
  const undone: StageRecord = { ...stage, entry, rolledBack, best: best && { ...best, stored: null } };
  const stages = [...state.stages.slice(0, -1), undone];
  return leaveStage({ ...state, stages, held: entry }, now);
}

function closeStage(state: JobState, now: number): JobState {
  const stage = currentStage(state);
  const closed: StageRecord = { ...stage, endedAt: now };
  return record({ ...state, stages: [...state.stages.slice(0, -1), closed] }, now, {
    kind: 'stageEnded',
    stage: stage.stage,
    name: stagePlan(state, stage.stage).name,
    reason: stage.ended ?? '',
    bestEpoch: stage.best?.epoch ?? 0,
    bestValue: stage.best?.value ?? 0,
    seconds: (now - stage.startedAt) / 1000,
    ...(stage.rolledBack && { rolledBack: stage.rolledBack }),
  });
}

function afterLastStage(state: JobState, now: number): Decision {
  if (!lastStanding(state.stages)) return fail(state, now, { code: 'NothingLeft', message: nothingLeft(state) });
  return state.plan.calibrate === 'temperature' ? fitTemperature(state) : test(state);
}

function nothingLeft({ plan }: JobState): string {
  const names = plan.stages.map(({ name }) => `"${name}"`).join(', ');
  return (
    `found every stage rolled back (${names}); expected one whose epochs cost the old task at most ` +
    `retention.maxDrop, which is ${plan.retention?.maxDrop}. Lower rates or fewer thawed layers forget less`
  );
}

/** The chosen weights once more on the validation set, which must not be the test set: that one measures the result. */
function fitTemperature(state: JobState): Decision {
  const fitting: JobState = { ...state, phase: 'Evaluating', reason: 'fitting the temperature' };
  return evaluate(fitting, { split: 'validation', ...chosen(state), temperatures: temperatureGrid });
}

export function test(state: JobState): Decision {
  const testing: JobState = { ...state, phase: 'Evaluating', reason: 'testing the chosen weights' };
  const { temperature } = state.calibration ?? {};
  const temperatures = temperature === undefined ? [] : [temperature, 1];
  return evaluate(testing, { split: 'test', ...chosen(state), temperatures });
}

function chosen(state: JobState): Required<Pick<Evaluation, 'restoreDigest' | 'stage'>> {
  const { stage, stored } = chosenWeights(state);
  return { restoreDigest: restoreOf(state, stored), stage };
}

/** Trainers are done: they may leave while the result is written. */
export function exportResult(state: JobState): Decision {
  // Nothing is trained any more that a snapshot could save.
  const pending = { ...state.pending, schedules: [], snapshots: [] };
  const exporting: JobState = { ...state, pending, phase: 'Exporting', reason: 'writing the model and the report' };
  const { state: directed, effects } = issueDirective(exporting, {
    kind: 'finish',
    outcome: 'Trained',
    reason: 'the job is trained and tested',
  });
  return { state: directed, effects: [...effects, { kind: 'export' }] };
}

export function stagePlan(state: JobState, stage: number): StagePlan {
  const plan = state.plan.stages[stage];
  invariant(plan !== undefined, `stage ${stage} of ${state.plan.stages.length}`);
  return plan;
}
