// What a seed stands for: a job, how fast everything is, and which faults there are until when. Everything is drawn before
// the run begins; what happens when is drawn while it runs.

import type { JobPlan, StagePlan } from '@thaw/coordinator/core/job-plan.ts';
import { aPlan, aStage } from '@thaw/coordinator/testing/builders.ts';
import { type Chance, chanceOf } from './chance.ts';

export const faultKinds = [
  'kill',
  'freeze',
  'leave',
  'cutSession',
  'cutExchange',
  'scale',
  'crashCoordinator',
  'replaceCoordinator',
  'orderedEnd',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A range of milliseconds, both ends included. */
export type Range = readonly [least: number, most: number];

export interface Scenario {
  readonly seed: number;
  readonly plan: JobPlan;
  readonly control: Range;
  readonly exchange: Range;
  /** Of frames of the exchange: this share never arrives. */
  readonly lost: number;
  /** One shard's gradient, or one part of an evaluation. */
  readonly compute: Range;
  /** Fetching or storing a state, and hashing one. */
  readonly transfer: Range;
  /** From the start of a process to its being ready. */
  readonly probe: Range;
  /** Writing the coordinator's state. */
  readonly write: Range;
  /** What else is done to the disk: a snapshot kept or read, an old state removed. */
  readonly disk: Range;
  readonly faults: readonly FaultKind[];
  /** Between two faults, on average. */
  readonly faultEvery: number;
  /** Milliseconds; from then on nothing goes wrong any more. */
  readonly quietAt: number;
}

export function scenarioOf(seed: number): Scenario {
  const chance = chanceOf(seed, 'job');
  const isFast = chance.happens(0.3);
  const kinds = faultKinds.filter((kind) => chance.happens(shareOf(kind)));
  return {
    seed,
    plan: planOf(chance),
    control: [1, chance.pick([2, 20, 300, 1500])],
    exchange: [1, chance.pick([2, 20, 200])],
    lost: chance.pick([0, 0, 0.02, 0.2]),
    compute: isFast ? [1, 5] : [20, chance.pick([30, 200])],
    transfer: [1, chance.pick([5, 100, 800])],
    probe: [100, chance.pick([300, 3000])],
    write: [0, chance.pick([2, 20, 200])],
    disk: [0, chance.pick([2, 20, 200, 3000])],
    faults: kinds.length > 0 ? kinds : ['kill'],
    faultEvery: chance.pick([300, 1000, 3000]),
    quietAt: chance.between(3000, 60_000),
  };
}

/** In how many runs there are faults of this kind. */
function shareOf(kind: FaultKind): number {
  return kind === 'crashCoordinator' || kind === 'replaceCoordinator' || kind === 'orderedEnd' ? 0.15 : 0.6;
}

/** The same job with one trainer and without a fault: what every other run has to come to. */
export function undisturbed(scenario: Scenario): Scenario {
  const plan: JobPlan = { ...scenario.plan, replicas: 1, trainersMin: 1 };
  const swift = {
    control: [1, 1],
    exchange: [1, 1],
    compute: [1, 1],
    transfer: [1, 1],
    write: [1, 1],
    disk: [1, 1],
  } as const;
  return { ...scenario, ...swift, plan, lost: 0, faults: [], quietAt: 0 };
}

function planOf(chance: Chance): JobPlan {
  const shards = chance.between(1, 8);
  const max = chance.between(1, shards);
  const min = chance.happens(0.7) ? 1 : chance.between(1, Math.min(max, 2));
  const stages = Array.from({ length: chance.between(1, 3) }, (_, index) => stageOf(chance, index));
  return aPlan({
    shards,
    trainersMax: max,
    trainersMin: min,
    replicas: chance.between(min, max),
    stages,
    parts: { validation: chance.between(1, 5), test: chance.between(1, 5) },
    samples: { train: 1000, validation: 1000, test: 1000 },
    weights: chance.pick(['best', 'last']),
    snapshotSeconds: chance.pick([1, 3, 60]),
    ...(chance.happens(0.2) && { calibrate: 'temperature' }),
    ...(chance.happens(0.2) && retentionOf(chance)),
  });
}

function stageOf(chance: Chance, index: number): StagePlan {
  const stepsPerEpoch = chance.between(1, 8);
  const patience = { metric: 'accuracy', mode: 'max', patience: chance.between(1, 3), minDelta: 0 } as const;
  return aStage({
    name: `stage-${index}`,
    stepsPerEpoch,
    steps: chance.between(1, 4 * stepsPerEpoch),
    advanceOn: chance.happens(0.3) ? patience : null,
    optimizerState: chance.pick(['keep', 'reset']),
    onEnter: chance.pick(['continue', 'restoreBest']),
    ...(index > 0 && chance.happens(0.15) && { ranked: index }),
  });
}

/** The source's own classifier is measured too, and a stage may be undone. */
function retentionOf(chance: Chance): Partial<JobPlan> {
  const maxDrop = chance.pick([null, 0.3]);
  return {
    samples: { train: 1000, validation: 1000, test: 1000, retention: 1000 },
    parts: { validation: 3, test: 3, retention: chance.between(1, 4) },
    retention: { classes: 2, maxDrop, onExceed: chance.pick(['stop', 'rollback']) },
  };
}
