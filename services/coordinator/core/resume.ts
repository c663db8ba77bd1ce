// A job that is taken up again after a stop, whatever stopped it: everything that training stands on comes from the newest
// snapshot, everything that only grows (term, generation, directives, plans, events) goes on from the stored state. No
// member of before is left, so trainers gather anew; there may be another number of them. The same happens while the
// coordinator lives, when every trainer that held the state is lost.

import type { SetName } from '@thaw/common/data/manifest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { badSamplesListedMax } from './bad-samples.ts';
import { record } from './event-log.ts';
import type { CoreEvent, Decision, Effect } from './events.ts';
import { stillGathering } from './gathering.ts';
import { initialState } from './initial-state.ts';
import { nothingPending } from './pending.ts';
import type { SeenSamples, Snapshot } from './snapshot.ts';
import { isTerminal, type JobState } from './state.ts';

type Resumed = Extract<CoreEvent, { readonly kind: 'resumed' }>;

export function onResumed(state: JobState, now: number, event: Resumed): Decision {
  // The job was ended while the disk was read; one that has ended before may well be taken up again.
  if (event.isSameReign && isTerminal(state)) return { state, effects: [] };
  const { plan, runToken, snapshot, restorePoints, damaged, isSameReign } = event;
  invariant(snapshot === null || restorePoints.length > 0, 'a snapshot has its restore point');
  const stepsRedone = Math.max(0, Math.max(state.cursor.step, state.reachedStep) - (snapshot?.step ?? 0));
  const fresh = initialState(plan, { uid: state.uid, runToken, reign: state.reign, term: state.term });
  const { term, write, engine, generation, directivesIssued, plansIssued, eventSequence, outbox, featureGain } = state;
  const taken: JobState = {
    ...fresh,
    ...{ write, engine, generation, directivesIssued, plansIssued, eventSequence, outbox },
    ...(featureGain && { featureGain }),
    ...(isSameReign && { wanted: state.wanted, members: state.members }),
    startedAt: now,
    pending: nothingPending,
    restorePoints,
    badSamples: badSamplesOf(event.badSamples),
    reachedStep: snapshot?.step ?? 0,
    resumed: {
      times: state.resumed.times + 1,
      stepsRedone: state.resumed.stepsRedone + stepsRedone,
      at: snapshot && { state: snapshot.state.digest, sums: snapshot.sums, stoppedAt: snapshot.at },
    },
    ...(snapshot && positionOf(snapshot)),
  };
  const told = record(taken, now, {
    kind: 'jobResumed',
    term,
    trainers: taken.wanted,
    stepsRedone,
    stages: stagesOf(taken),
    stagesTotal: plan.stages.length,
    stage: taken.cursor.stage,
    epoch: taken.cursor.epoch,
    epochInStage: taken.cursor.epochInStage,
    step: taken.cursor.step,
    ...(damaged.length > 0 && { damaged }),
  });
  const search: Effect[] = engine !== null && !taken.reuseKnown ? [{ kind: 'findStages' }] : [];
  return { state: stillGathering(told), effects: search };
}

/** The schedule of the snapshot, moved on to its step. */
function positionOf({ schedule, step }: Snapshot): Partial<JobState> {
  const { cursor, ...rest } = schedule;
  return { ...rest, cursor: { ...cursor, step }, reuseKnown: true };
}

/** Each is counted once, by whom it was met first. */
function badSamplesOf(samples: SeenSamples): JobState['badSamples'] {
  const counts: Partial<Record<SetName, number>> = {};
  const listed: JobState['badSamples']['listed'][number][] = [];
  for (const { split, id, reason } of samples) {
    const set = split as SetName;
    counts[set] = (counts[set] ?? 0) + 1;
    if (listed.length < badSamplesListedMax) listed.push({ split: set, id, reason });
  }
  return { counts: { train: 0, validation: 0, test: 0, ...counts }, listed };
}

/** What the view of this run has not seen. */
function stagesOf({ stages, plan }: JobState) {
  let next = 0;
  return stages.map(({ stage, best, epochsDone, epochs }) => {
    const firstEpoch = next;
    next += epochsDone;
    const validation = epochs.find(({ epoch }) => epoch === best?.epoch)?.validation ?? null;
    return {
      stage,
      name: plan.stages[stage]?.name ?? '',
      firstEpoch,
      best: best && validation ? { epoch: best.epoch, validation } : null,
    };
  });
}
