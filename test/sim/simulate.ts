// One run of one seed: the undisturbed job first, then the same job with everything that the seed does to it, checked all
// the time and against the first one at its end.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { JobState } from '@thaw/coordinator/core/state.ts';
import { type Chance, chanceOf } from './chance.ts';
import { Checks } from './checks.ts';
import { CoordinatorProcess } from './coordinator-process.ts';
import { firstDifference } from './difference.ts';
import { Disk } from './disk.ts';
import { startFaults } from './faults.ts';
import { BrokenPromise, Journal } from './journal.ts';
import { Launcher } from './launcher.ts';
import { type Scenario, scenarioOf, undisturbed } from './scenario.ts';
import { VirtualTime } from './virtual-time.ts';
import type { ModelBug, World } from './world.ts';

/** Milliseconds from the end of all faults to that of the job, beside the time that its work takes. */
const recoveryMax = 120_000;

export interface Run {
  readonly seed: number;
  /** Why it is no good; null when all is well. */
  readonly failure: string | null;
  readonly journal: Journal;
  /** Virtual. */
  readonly seconds: number;
  readonly restarts: number;
}

export interface RunOptions {
  readonly bug?: ModelBug;
  readonly print?: (line: string) => void;
}

export function simulate(seed: number, { bug, print }: RunOptions = {}): Run {
  const scenario = scenarioOf(seed);
  const calm = play(newWorld(undisturbed(scenario), { bug: null, print: null, expected: null }));
  invariant(calm.failure === null, `the undisturbed run of seed ${seed}: ${calm.failure}`);
  const expected = calm.world.checks.states;
  const world = newWorld(scenario, { bug: bug ?? null, print: print ?? null, expected });
  const { failure } = play(world);
  const { journal, time, coordinator } = world;
  return {
    seed,
    failure: failure ?? firstDifference(outcomeOf(coordinator.state), outcomeOf(calm.world.coordinator.state)),
    journal,
    seconds: time.now / 1000,
    restarts: coordinator.state.term - 1,
  };
}

interface Setting {
  readonly bug: ModelBug | null;
  readonly print: ((line: string) => void) | null;
  /** Digests of states by step, of the undisturbed run. */
  readonly expected: ReadonlyMap<number, string> | null;
}

function newWorld(scenario: Scenario, { bug, print, expected }: Setting): World {
  const time = new VirtualTime();
  const chances = new Map<string, Chance>();
  const chance: World['chance'] = (purpose) => {
    const known = chances.get(purpose) ?? chanceOf(scenario.seed, purpose);
    chances.set(purpose, known);
    return known;
  };
  const world = {
    ...{ scenario, bug, time, chance, journal: new Journal(time, print), disk: new Disk(), trainers: new Map() },
    draw: (purpose, [least, most]) => chance(purpose).between(least, most),
  } as Omit<World, 'checks' | 'launcher' | 'coordinator'> as World;
  return Object.assign(world, {
    checks: new Checks(world, expected),
    launcher: new Launcher(world),
    coordinator: new CoordinatorProcess(world),
  });
}

function play(world: World): { readonly world: World; readonly failure: string | null } {
  const { time, scenario, coordinator, launcher } = world;
  const until = scenario.quietAt + recoveryMax + workOf(scenario);
  coordinator.start();
  launcher.fill(0);
  startFaults(world);
  try {
    while (!isOver(coordinator.state)) {
      if (!time.step()) throw new BrokenPromise('nothing happens any more, and the job is not over');
      if (time.now > until) throw new BrokenPromise(`not over after ${until / 1000} s: ${coordinator.state.reason}`);
    }
    return { world, failure: null };
  } catch (thrown) {
    if (thrown instanceof Error) return { world, failure: thrown.message };
    throw thrown;
  }
}

/** One that was stopped in good order is taken up again. */
function isOver({ phase }: JobState): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Generously: every step alone, at the slowest, and all of it three times. */
function workOf({ plan, compute, exchange, transfer, control, write, disk }: Scenario): number {
  const steps = plan.stages.reduce((sum, stage) => sum + stage.steps, 0);
  const parts = plan.parts.validation + plan.parts.test + (plan.parts.retention ?? 0);
  const step = plan.shards * compute[1] + 4 * exchange[1] + 250;
  const epoch = parts * compute[1] + 4 * transfer[1] + 10 * (control[1] + 2 * write[1]) + 4 * disk[1];
  return 3 * steps * (step + epoch);
}

/** All that the result is made of; no times and no names. */
function outcomeOf({ phase, failure, stages, test, held, cursor, result, calibration, oldTask }: JobState) {
  const { step, epoch } = cursor;
  return {
    ...{ phase, failure, test, held, step, epoch, result, calibration, oldTask },
    stages: stages.map(
      ({ stage, ended, firstStep, steps, epochsDone, epochs, best, plateau, ranking, rolledBack }) => ({
        ...{ stage, ended, firstStep, steps, epochsDone, best, plateau, ranking, rolledBack },
        epochs: epochs.map(({ trainSeconds: _, seconds: __, ...figures }) => figures),
      }),
    ),
  };
}
