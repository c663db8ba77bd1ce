// What a stage's result is stored under: a digest of all that can change a bit of it. Stages with the same key give the
// same weights, optimizer state, counters, best epoch and figures, whichever job they belong to.

import { type Digest, digestOfJson } from '@thaw/common/content/digest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { numericsVersion } from '@thaw/common/job/result-facts.ts';
import { rankedSet } from './ranking.ts';
import { lastEpochOf, lastStanding } from './standing.ts';
import type { JobState, StageRecord, StoredState } from './state.ts';

/** What a stage begins with. */
export interface StageInput {
  /** The state that holds after the stage before, and the best one of the last stage that was not undone. */
  readonly state: string;
  readonly best: string;
  /** Job-global, of the last epoch and step before the stage. */
  readonly epoch: number;
  readonly step: number;
}

/** `input`: null for the first stage, which begins at the source weights. Known once a trainer is ready. */
export function stageKey(
  state: Pick<JobState, 'plan' | 'engine' | 'stages'>,
  stage: number,
  input: StageInput | null,
): Digest {
  const { plan, engine } = state;
  const ranked = rankedSet(state, stage);
  const stagePlan = plan.stages[stage];
  invariant(engine !== null && stagePlan !== undefined, `the engine is known, and stage ${stage} there`);
  const { engineClass, probeDigest, stageProbeDigests } = engine;
  const { graph, oldGraph, weights } = plan.artifacts;
  return digestOfJson({
    kind: 'thaw-stage',
    numericsVersion,
    engineClass,
    // A trainer that proves all stages at once leaves each of them depending on the others.
    probe: stageProbeDigests[stage] ?? probeDigest,
    job: plan.facts,
    data: plan.dataDigest,
    graph,
    ...(oldGraph !== undefined && { oldGraph }),
    weights,
    stage: stagePlan.facts,
    // What its `ranked(n)` turned out to be.
    ...(ranked && { ranked }),
    input,
  });
}

/** What the stage after these finished ones, at least one, begins with. `held`: the state at the end of the last. */
export function inputAfter(stages: readonly StageRecord[], held: StoredState): StageInput {
  const last = stages.at(-1);
  const best = lastStanding(stages) ? lastStanding(stages)?.best?.stored : held;
  invariant(last !== undefined && best != null, 'a finished stage has a stored best state');
  const { firstStep, steps } = last;
  return { state: held.digest, best: best.digest, epoch: lastEpochOf(last, held), step: firstStep + steps - 1 };
}
