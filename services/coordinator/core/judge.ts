// What an epoch's validation means: is it the stage's best, and was it the stage's last? Equal values leave the earlier
// epoch best. One that has forgotten more of the old task than the job allows is the last, and best only if it is alone.

import type { AdvanceRule, Metric } from '@thaw/common/job/resolved-job.ts';
import { epochsOf, type StagePlan } from './job-plan.ts';
import type { Metrics, StageRecord } from './state.ts';

export interface EvaluatedEpoch {
  readonly epoch: number;
  readonly epochInStage: number;
  readonly validation: Metrics;
  /** Of jobs that keep an eye on the old task. `maxDrop`: null where it is only watched. */
  readonly retention?: { readonly drop: number; readonly maxDrop: number | null };
}

export interface Judgement {
  readonly isBest: boolean;
  readonly best: NonNullable<StageRecord['best']>;
  readonly plateau: StageRecord['plateau'];
  /** Why the stage ends here, in words; null while it goes on. */
  readonly ended: string | null;
}

export interface PlateauState {
  readonly best: number;
  readonly stale: number;
}

export function judgeEpoch(plan: StagePlan, stage: StageRecord, evaluated: EvaluatedEpoch): Judgement {
  const { epoch, epochInStage, validation } = evaluated;
  const value = validation[plan.metric];
  const forgotten = forgottenTooMuch(evaluated);
  const improves = stage.best === null || better(modeOf(plan.metric), value, stage.best.value, 0);
  const isBest = improves && (stage.best === null || forgotten === null);
  const best = isBest ? { epoch, value, stored: null } : (stage.best as NonNullable<StageRecord['best']>);
  const plateau = plan.advanceOn ? nextPlateau(plan.advanceOn, stage.plateau, validation[plan.advanceOn.metric]) : null;
  const ended = forgotten ?? endOf(plan, epochInStage, plateau);
  return { isBest, best, plateau, ended };
}

/** Accuracies are shares of counts: this much is rounding. */
const roundingMax = 1e-9;

/** Whether an epoch has forgotten more than the job allows. */
export function exceeds(drop: number, maxDrop: number | null): maxDrop is number {
  return maxDrop !== null && drop > maxDrop + roundingMax;
}

function forgottenTooMuch({ retention }: EvaluatedEpoch): string | null {
  const { drop, maxDrop } = retention ?? { drop: 0, maxDrop: null };
  if (!exceeds(drop, maxDrop)) return null;
  const points = (share: number): string => String(Number((100 * share).toFixed(2)));
  return `the old task's accuracy fell by ${points(drop)} points; retention.maxDrop allows ${points(maxDrop)}`;
}

function endOf(plan: StagePlan, epochInStage: number, plateau: PlateauState | null): string | null {
  const { advanceOn } = plan;
  if (advanceOn && plateau && plateau.stale >= advanceOn.patience) {
    return `${advanceOn.metric} has not improved by ${advanceOn.minDelta} for ${advanceOn.patience} epochs`;
  }
  return epochInStage + 1 >= epochsOf(plan) ? `all ${plan.steps} steps are done` : null;
}

function nextPlateau(rule: AdvanceRule, state: PlateauState | null, value: number): PlateauState {
  if (state === null || better(rule.mode, value, state.best, rule.minDelta)) return { best: value, stale: 0 };
  return { best: state.best, stale: state.stale + 1 };
}

function better(mode: 'min' | 'max', value: number, best: number, minDelta: number): boolean {
  return mode === 'min' ? value < best - minDelta : value > best + minDelta;
}

function modeOf(metric: Metric): 'min' | 'max' {
  return metric === 'loss' ? 'min' : 'max';
}
