// What goes wrong in a run, and when: drawn, one after the other, until the scenario's quiet time. Then everything that is
// still broken is mended.

import { scaleProblem } from '@thaw/coordinator/core/members.ts';
import type { FaultKind } from './scenario.ts';
import type { TrainerProcess } from './trainer-process.ts';
import type { World } from './world.ts';

/** Milliseconds. */
const frozen = [100, 12_000] as const;
const cut = [1, 8000] as const;
const down = [1, 9000] as const;

type FaultOfTrainer = Exclude<FaultKind, 'scale' | 'crashCoordinator' | 'replaceCoordinator' | 'orderedEnd'>;

export function startFaults(world: World): void {
  const { scenario, time } = world;
  if (scenario.faults.length === 0) return;
  time.after(scenario.quietAt, () => endFaults(world));
  nextFault(world);
}

function nextFault(world: World): void {
  const { scenario, time } = world;
  time.after(world.draw('faults', [1, 2 * scenario.faultEvery]), () => {
    if (time.now >= scenario.quietAt) return;
    const kind = world.chance('faults').pick(scenario.faults);
    const victims = [...world.trainers.values()];
    if (kind === 'scale') scale(world);
    else if (kind === 'orderedEnd') end(world);
    else if (kind === 'crashCoordinator' || kind === 'replaceCoordinator') crash(world, kind);
    else if (victims.length > 0) strike(world, kind, world.chance('faults').pick(victims));
    nextFault(world);
  });
}

function strike(world: World, kind: FaultOfTrainer, victim: TrainerProcess): void {
  const { journal, time } = world;
  const { name, incarnation } = victim;
  const seconds = (milliseconds: number): string => `for ${milliseconds / 1000} s`;
  const who = `${name} (${incarnation.slice(0, 4)})`;
  switch (kind) {
    case 'kill': {
      const isNoticed = world.chance('faults').happens(0.7);
      journal.fault(kind, who, isNoticed ? 'is killed' : 'is gone without a trace on the network');
      victim.kill(isNoticed);
      return;
    }
    case 'freeze': {
      const milliseconds = world.draw('faults', frozen);
      journal.fault(kind, who, `is stopped ${seconds(milliseconds)}`);
      victim.stop();
      time.after(milliseconds, () => victim.wake());
      return;
    }
    case 'leave':
      journal.fault(kind, who, 'is asked to leave');
      victim.leave('SIGTERM');
      return;
    case 'cutSession':
    case 'cutExchange': {
      const milliseconds = world.draw('faults', cut);
      const what = kind === 'cutSession' ? 'session' : 'exchange';
      journal.fault(kind, who, `has no ${what} ${seconds(milliseconds)}`);
      victim.cutOff(what, milliseconds);
      return;
    }
  }
}

function scale(world: World): void {
  const { coordinator, launcher, scenario, journal } = world;
  const { trainersMin, trainersMax } = scenario.plan;
  const wanted = world.draw('faults', [trainersMin, trainersMax]);
  if (!coordinator.isUp || scaleProblem(coordinator.state, wanted) !== null) return;
  journal.fault('scale', 'somebody', `wants ${wanted} trainers`);
  coordinator.post({ kind: 'scale', replicas: wanted });
  launcher.scale(wanted);
}

/** A launcher ends its trainers with the coordinator; on a cluster they live on and wait for the next one. */
function crash(world: World, kind: 'crashCoordinator' | 'replaceCoordinator'): void {
  const { coordinator, journal } = world;
  if (!coordinator.isUp) return;
  journal.fault(kind, 'coordinator', 'is killed');
  goOnLater(world, kind === 'crashCoordinator');
}

/** The job is stopped in good order, and taken up again once it has ended. */
function end({ coordinator, journal }: World): void {
  if (!coordinator.isUp || coordinator.state.stopping !== null) return;
  journal.fault('orderedEnd', 'somebody', 'stops the job');
  coordinator.post({ kind: 'stop', reason: 'it was asked to' });
}

/** The coordinator is away for a while, with its trainers or without. */
export function goOnLater(world: World, endsTrainers: boolean): void {
  const { coordinator, trainers, time, launcher } = world;
  coordinator.crash();
  if (endsTrainers) for (const trainer of [...trainers.values()]) trainer.kill(true);
  time.after(world.draw('faults', down), () => {
    coordinator.restart();
    launcher.scale(coordinator.state.plan.replicas);
  });
}

function endFaults({ trainers, journal, time, launcher }: World): void {
  journal.note('somebody', `ends the faults after ${time.now / 1000} s`);
  for (const trainer of trainers.values()) {
    trainer.wake();
    trainer.cutOff('exchange', 0);
    trainer.mendSession();
  }
  launcher.fill(0);
}
