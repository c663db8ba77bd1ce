// Everything that one simulated run consists of, where its parts find each other.

import type { Chance, Purpose } from './chance.ts';
import type { Checks } from './checks.ts';
import type { CoordinatorProcess } from './coordinator-process.ts';
import type { Disk } from './disk.ts';
import type { Journal } from './journal.ts';
import type { Launcher } from './launcher.ts';
import type { Range, Scenario } from './scenario.ts';
import type { TrainerProcess } from './trainer-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Defects that can be put into the model, to see that they are found. */
export const modelBugs = [
  'appliesAfterHalt',
  'joinsWithoutRestoring',
  'acceptsStaleContributions',
  'goesOnBehind',
  'addsPartTwice',
] as const;
export type ModelBug = (typeof modelBugs)[number];

export interface World {
  readonly scenario: Scenario;
  readonly bug: ModelBug | null;
  readonly time: VirtualTime;
  readonly journal: Journal;
  readonly disk: Disk;
  readonly checks: Checks;
  readonly launcher: Launcher;
  readonly coordinator: CoordinatorProcess;
  /** Living ones, by incarnation. */
  readonly trainers: Map<string, TrainerProcess>;
  /** Milliseconds. */
  draw(purpose: Purpose, range: Range): number;
  chance(purpose: Purpose): Chance;
}
