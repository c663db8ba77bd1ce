// Keeps as many trainers alive as the job wants: starts them, hears of every end, tells the coordinator, and starts again
// whom the policy says. Names are the lowest that are free, so that a name stands for a place and not for a process. What
// the run does when one cannot be kept alive is not decided here.

import { errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import type { JobUpdate__Output } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import { type JobEvent, newEvents } from '../view/job-event.ts';
import { secondsText } from '../view/number-text.ts';
import { type Child, describeExit } from './child.ts';
import type { Lost } from './local-run.ts';
import { ownReason, type Reason } from './own-reason.ts';
import { afterEnd, freeNames, type Verdict } from './restart-policy.ts';

export interface TrainersOptions {
  readonly wanted: number;
  /** With fewer the job stands still. */
  readonly min: number;
  readonly start: (name: string) => Child;
  /** The job is over, or has been asked to end. */
  readonly isOver: () => boolean;
  /** Tells the coordinator that the process is gone. */
  readonly report: (child: Child, reason: string) => void;
  readonly warn: (message: string) => void;
  /** The run cannot go on; called at most once. */
  readonly lose: (lost: Lost) => void;
  /** Milliseconds. */
  readonly monotonic: () => number;
  /** Calls `run` after a while, unless the returned function is called before. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

export interface Trainers {
  /** What the coordinator says: how many are wanted, who got ready, who was refused. */
  update(update: JobUpdate__Output): void;
  /** No trainer is started any more. */
  close(): void;
}

/** A name that is taken: by a process, or by one that is to be started. */
interface Place {
  readonly child: Child | null;
  /** Of one that is to be started. */
  readonly cancel: () => void;
  readyAt: number | null;
  refusal: Reason | null;
}

/** What the coordinator says of a job that needs no trainer any more. */
const overStates: ReadonlySet<string> = new Set(['Exporting', 'Succeeded', 'Failed', 'Cancelled']);

export function keepTrainers(options: TrainersOptions): Trainers {
  const trainers = new KeptTrainers(options);
  trainers.fill();
  return trainers;
}

class KeptTrainers implements Trainers {
  readonly #options: TrainersOptions;
  readonly #places = new Map<string, Place>();
  /** Their places stay empty as long as the others are at work, or until another number is wanted. */
  readonly #givenUp = new Set<string>();
  /** In a row, by name. */
  readonly #deaths = new Map<string, number>();
  /** By name, of the newest that the coordinator has let in. */
  readonly #joined = new Map<string, number>();
  #wanted: number;
  #state = '';
  /** The coordinator's status is of this run: before its first event it may be that of the run that is taken up. */
  #isBegun = false;
  /** Of the newest event. */
  #sequence = 0;
  #isClosed = false;

  constructor(options: TrainersOptions) {
    this.#options = options;
    this.#wanted = options.wanted;
  }

  update({ status, events }: JobUpdate__Output): void {
    for (const { event } of newEvents(events, this.#sequence)) {
      this.#sequence = event.sequence;
      this.#note(event);
    }
    if (!status || !this.#isBegun) return;
    this.#state = status.state;
    if (this.#isOver()) return;
    // Who gathers waits for everybody; and who asks for another number gives each name another chance.
    if (status.state === 'Gathering' || status.trainersWanted !== this.#wanted) this.#givenUp.clear();
    this.#wanted = status.trainersWanted;
    this.#cancelSurplus();
    this.fill();
  }

  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#places.values()) cancel();
  }

  /** Level, not edge: whatever happened, what is missing is started. */
  fill(): void {
    if (this.#isOver()) return;
    const missing = this.#wanted - this.#places.size - this.#givenUp.size;
    for (const name of freeNames(this.#taken(), missing)) this.#start(name);
  }

  #isOver(): boolean {
    return this.#isClosed || overStates.has(this.#state) || this.#options.isOver();
  }

  #taken(): ReadonlySet<string> {
    return new Set([...this.#places.keys(), ...this.#givenUp]);
  }

  #note(event: JobEvent): void {
    if (event.kind === 'jobStarted' || event.kind === 'jobResumed') this.#isBegun = true;
    if (event.kind === 'trainerJoined') this.#joined.set(event.trainer, event.pid);
    if (event.kind === 'trainerLost') this.#endLost(event.pid);
    if (event.kind !== 'trainerReady' && event.kind !== 'trainerRefused') return;
    const place = this.#places.get(event.trainer);
    if (!place?.child) return;
    if (event.kind === 'trainerRefused') place.refusal = { code: errorCodeOf(event.code), message: event.message };
    else if (this.#joined.get(event.trainer) === place.child.pid) place.readyAt = this.#options.monotonic();
  }

  /** The job goes on without it: one that hangs, or is frozen, would only come back to hang again. */
  #endLost(pid: number): void {
    for (const { child } of this.#places.values()) if (child?.pid === pid) void child.stop(0);
  }

  #start(name: string): void {
    const child = this.#options.start(name);
    this.#places.set(name, { child, cancel: () => undefined, readyAt: null, refusal: null });
    void child.exited.then(() => this.#ended(child));
  }

  #startAfter(name: string, milliseconds: number): void {
    const cancel = this.#options.after(milliseconds, () => {
      this.#places.delete(name);
      if (!this.#isOver()) this.#start(name);
    });
    this.#places.set(name, { child: null, cancel, readyAt: null, refusal: null });
  }

  /** Those with the highest numbers first, as the coordinator lets them go. */
  #cancelSurplus(): void {
    for (const [name, { child, cancel }] of [...this.#places].reverse()) {
      if (child || this.#places.size <= this.#wanted) continue;
      cancel();
      this.#places.delete(name);
    }
  }

  #ended(child: Child): void {
    const { name, exit } = child;
    const place = this.#places.get(name);
    if (place?.child !== child || !exit) return;
    this.#places.delete(name);
    if (!this.#isOver()) this.#options.report(child, describeExit(exit));
    const reason = place.refusal ?? ownReason(child);
    const { readyAt } = place;
    const ending = {
      exit,
      gaveReason: reason !== null,
      readyMilliseconds: readyAt === null ? null : this.#options.monotonic() - readyAt,
      deaths: this.#deaths.get(name) ?? 0,
    };
    const circumstances = {
      isOver: this.#isOver(),
      isTraining: this.#state !== '' && this.#state !== 'Gathering',
      others: this.#places.size,
      wanted: this.#wanted,
      min: this.#options.min,
    };
    this.#carryOut(afterEnd(ending, circumstances), child, reason);
  }

  #carryOut(verdict: Verdict, child: Child, reason: Reason | null): void {
    const { name, pid, exit } = child;
    const how = `${name} (pid ${pid}) ${exit ? describeExit(exit) : 'ended'}`;
    switch (verdict.kind) {
      case 'none':
        return;
      case 'giveUp':
        this.#givenUp.add(name);
        this.#options.warn(`${how}: [${reason?.code}] ${reason?.message}; it is not started again`);
        return;
      case 'end': {
        this.close();
        const { restarts } = verdict;
        const tried = restarts > 0 ? `, after it had been started again ${restarts} times in a row` : '';
        this.#options.lose({ child, code: 'TrainerLost', message: how + tried });
        return;
      }
      case 'restart': {
        const { afterMilliseconds, deaths } = verdict;
        this.#deaths.set(name, deaths);
        const [next = name] = freeNames(this.#taken(), 1);
        const what = next === name ? 'starting it again' : `starting ${next} in its place`;
        const wait = afterMilliseconds > 0 ? ` in ${secondsText(afterMilliseconds / 1000)}` : '';
        if (exit?.code !== 0) this.#options.warn(`${how}; ${what}${wait}`);
        if (afterMilliseconds > 0) this.#startAfter(next, afterMilliseconds);
        else this.#start(next);
      }
    }
  }
}
