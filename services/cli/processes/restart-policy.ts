// Whether a trainer that ended is started again, and after how long. A job wants a number of trainers; who dies is
// replaced, with growing patience for a name that keeps dying. A trainer that says why it gives up would do it again:
// it is not started again, and without it the run goes on only where others train. Facts in, a verdict out: no
// processes, no clock, no timers.

import type { Exit } from './child.ts';

/** Before the next start, by the deaths in a row so far; after as many restarts it has had its chances. */
const backoffMilliseconds: readonly number[] = [0, 1000, 2000, 4000, 8000];
/**
 * Ready for this long, a trainer has shown that it can live, and its next death is the first of a row. Counted from ready
 * and not from its start: one that dies of loading the model may take as long for it each time.
 */
const provenMilliseconds = 30_000;
/** Status 0 is the coordinator's word. If that was the job's end, and no trainer one too many, it is heard within this. */
const finishedMilliseconds = 1000;

/** A trainer that has ended. */
export interface Ending {
  readonly exit: Exit;
  /** It said itself why, or was refused. */
  readonly gaveReason: boolean;
  /** Null: it never got ready. */
  readonly readyMilliseconds: number | null;
  /** Of its name, in a row, before this end. */
  readonly deaths: number;
}

/** What there is besides it. */
export interface Circumstances {
  /** The job is over, or has been asked to end. */
  readonly isOver: boolean;
  /** It has gathered its trainers: who is there is at work. */
  readonly isTraining: boolean;
  /** Living trainers, and those about to be started. */
  readonly others: number;
  readonly wanted: number;
  /** With fewer the job stands still. */
  readonly min: number;
}

export type Verdict =
  /** There are enough, or none is needed any more. */
  | { readonly kind: 'none' }
  | { readonly kind: 'restart'; readonly afterMilliseconds: number; readonly deaths: number }
  /** It would end again; the others go on without it. */
  | { readonly kind: 'giveUp' }
  /** The run cannot go on. `restarts`: how often it was started again, in a row. */
  | { readonly kind: 'end'; readonly restarts: number };

export function afterEnd(ending: Ending, { isOver, isTraining, others, wanted, min }: Circumstances): Verdict {
  if (isOver) return { kind: 'none' };
  if (ending.gaveReason) return isTraining && others >= min ? { kind: 'giveUp' } : { kind: 'end', restarts: 0 };
  if (others >= wanted) return { kind: 'none' };
  const { exit, readyMilliseconds } = ending;
  const deaths = readyMilliseconds !== null && readyMilliseconds >= provenMilliseconds ? 0 : ending.deaths;
  if (exit.code === 0) return { kind: 'restart', afterMilliseconds: finishedMilliseconds, deaths };
  const afterMilliseconds = backoffMilliseconds[deaths];
  if (afterMilliseconds === undefined) return { kind: 'end', restarts: deaths };
  return { kind: 'restart', afterMilliseconds, deaths: deaths + 1 };
}

/** The lowest names that are free, `count` of them. */
export function freeNames(used: ReadonlySet<string>, count: number): string[] {
  const names: string[] = [];
  for (let i = 0; names.length < count; i++) {
    const name = trainerName(i);
    if (!used.has(name)) names.push(name);
  }
  return names;
}

function trainerName(index: number): string {
  return `trainer-${index}`;
}

/** The place that the name stands for, from 0. */
export function trainerIndex(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}
