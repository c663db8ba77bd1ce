// Nothing is trained twice: a finished stage's result is kept under its key, and a job whose first stages have their
// results there begins after them, as if it had just trained them. Training waits for the answer of the search.

import type { Digest } from '@thaw/common/content/digest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { countBadSamples } from './bad-samples.ts';
import { record } from './event-log.ts';
import type { CoreEvent, Decision } from './events.ts';
import { keptEpochs } from './kept-epochs.ts';
import type { StageResult } from './kept-stage.ts';
import { needsRanking } from './ranking.ts';
import { inputAfter, type StageInput, stageKey } from './stage-key.ts';
import { lastEpochOf } from './standing.ts';
import { isTerminal, type JobState, type StageRecord } from './state.ts';

/** Key of the stage that follows these results; null when they are all of the job's, or blocks have to be ranked first. */
export function nextKey(
  { plan, engine }: Pick<JobState, 'plan' | 'engine'>,
  results: readonly StageResult[],
): Digest | null {
  const stage = results.length;
  const state = { plan, engine, stages: results.map(({ record }) => record) };
  if (stage === plan.stages.length || needsRanking(state, stage)) return null;
  return stageKey(state, stage, inputOf(results));
}

function inputOf(results: readonly StageResult[]): StageInput | null {
  const last = results.at(-1);
  const records = results.map(({ record }) => record);
  return last ? inputAfter(records, last.held) : null;
}

/** The search is over: what was found counts as trained. */
export function onStagesFound(
  state: JobState,
  now: number,
  { results, badSamples }: Extract<CoreEvent, { readonly kind: 'stagesFound' }>,
): Decision {
  if (state.reuseKnown || isTerminal(state)) return { state, effects: [] };
  let next: JobState = { ...state, reuseKnown: true };
  for (const [index, result] of results.entries()) {
    const fits = result.key === stageKey(next, index, inputOf(results.slice(0, index)));
    invariant(fits, `the result of stage ${index} does not follow from the one before`);
    next = adopt(next, now, result);
  }
  return countBadSamples(next, now, badSamples);
}

function adopt(state: JobState, now: number, { job, record: trained, held, key }: StageResult): JobState {
  const stage = state.stages.length;
  const { firstStep, steps, epochsDone, ended, best, startedAt, endedAt } = trained;
  invariant(endedAt !== null && best !== null, 'a stage that was kept has ended');
  const epochs = keptEpochs(trained.epochs, best.epoch, state.plan);
  const adopted: StageRecord = { ...trained, epochs, stage, key, reused: { job: job.name, uid: job.uid } };
  const cursor = {
    ...state.cursor,
    stage,
    epochInStage: epochsDone - 1,
    epoch: lastEpochOf(trained, held),
    step: firstStep + steps - 1,
    stageFirstStep: firstStep,
  };
  return record({ ...state, stages: [...state.stages, adopted], cursor, held }, now, {
    kind: 'stageReused',
    stage,
    name: state.plan.stages[stage]?.name ?? '',
    job: job.name,
    uid: job.uid,
    trainedAt: new Date(endedAt).toISOString(),
    epochs: epochsDone,
    lastEpoch: cursor.epoch,
    steps,
    reason: ended ?? '',
    bestEpoch: best.epoch,
    bestValue: best.value,
    validation: trained.epochs.find(({ epoch }) => epoch === best.epoch)?.validation ?? null,
    seconds: (endedAt - startedAt) / 1000,
    ...(trained.rolledBack && { rolledBack: trained.rolledBack }),
  });
}
