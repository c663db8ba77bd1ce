// In which order blocks thaw: by the relative gradient norm (Auto-RGN of Lee et al., "Surgical Fine-Tuning Improves
// Adaptation to Distribution Shifts", ICLR 2023), measured once, after the stage before the first one that asks for it.
// The order is part of that stage's record, so whoever reuses the stage has the order too.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { rankedBlocksMax } from '@thaw/common/model/ranked.ts';
import type { Ranked__Output } from '@thaw/proto/gen/thaw/v1/Ranked.ts';
import type { JobPlan } from './job-plan.ts';
import type { JobState, RankedBlock, Ranking } from './state.ts';

/** Largest ratio first; of equal ones the block that was reported first, which is nearer to the output. */
export function rankBlocks({ blocks, count }: Ranked__Output): Ranking {
  const measured = blocks.map(
    ({ block, gradient, weights }): RankedBlock => ({
      block,
      gradient,
      weights,
      // Nothing to be relative to: such a block is the last to thaw.
      ratio: weights === 0 ? 0 : gradient / weights,
    }),
  );
  return { samples: count, blocks: measured.sort((a, b) => b.ratio - a.ratio) };
}

/** What is wrong with a member's norms, in words; null when they can be ranked. */
export function normsProblem({ blocks, count }: Ranked__Output): string | null {
  if (blocks.length === 0 || count === 0) return `measured ${blocks.length} blocks on ${count} samples; expected some`;
  if (blocks.length > rankedBlocksMax) {
    return `measured ${blocks.length} blocks; at most ${rankedBlocksMax} are ranked`;
  }
  const bad = blocks.find(
    ({ gradient, weights }) => ![gradient, weights].every((norm) => norm >= 0 && norm < Infinity),
  );
  return bad ? `measured norms of ${bad.block} that are no numbers: ${bad.gradient} and ${bad.weights}` : null;
}

/** Index of the stage after which blocks are ranked; null in jobs that do not ask for it. */
function rankedAfter({ stages }: JobPlan): number | null {
  const first = stages.findIndex(({ ranked }) => ranked !== undefined);
  return first < 0 ? null : first - 1;
}

type Ranked = Pick<JobState, 'plan' | 'stages'>;

/** Null until it is measured. */
export function rankingOf({ plan, stages }: Ranked): Ranking | null {
  const after = rankedAfter(plan);
  return after === null ? null : (stages[after]?.ranking ?? null);
}

/** Whether blocks have to be ranked before this stage can begin. */
export function needsRanking(state: Ranked, stage: number): boolean {
  return state.plan.stages[stage]?.ranked !== undefined && rankingOf(state) === null;
}

/** All blocks in their order; empty until it is measured. */
export function rankedNames(state: Ranked): string[] {
  return (rankingOf(state)?.blocks ?? []).map(({ block }) => block);
}

/** The ranked blocks that a stage trains; null where it asks for none. */
export function rankedSet(state: Ranked, stage: number): readonly string[] | null {
  const count = state.plan.stages[stage]?.ranked;
  if (count === undefined) return null;
  invariant(rankingOf(state) !== null, 'blocks are ranked before a stage trains them');
  return rankedNames(state).slice(0, count);
}
