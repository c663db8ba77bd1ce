// A trainer as a process: its session (the production one), what it holds, and the program that it runs. It can be killed,
// stopped and woken, asked to leave, and cut off. What comes in while it is stopped waits for it.

import type { Digest } from '@thaw/common/content/digest.ts';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { EpochSums__Output } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { Plan__Output } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import { createSession, type Session } from '@thaw/trainer/comms/session.ts';
import { Connection } from './connection.ts';
import { Exchange } from './exchange.ts';
import { BrokenPromise } from './journal.ts';
import { type ModelState, untrained } from './model-state.ts';
import { Program, type Task } from './program.ts';
import { ModelSnapshots } from './snapshots.ts';
import { trainerLife } from './trainer-life.ts';
import type { World } from './world.ts';

const heartbeatMilliseconds = 1000;
/** Between a goodbye, or an error, and the end of the process. */
const closingMilliseconds = [1, 100] as const;

export interface Position {
  readonly appliedStep: number;
  readonly sums: EpochSums__Output | null;
}

export const nowhere: Position = { appliedStep: 0, sums: null };

export interface Identity {
  readonly incarnation: string;
  readonly name: string;
  readonly pid: number;
}

export class TrainerProcess implements Identity {
  readonly incarnation: string;
  readonly name: string;
  readonly pid: number;
  readonly world: World;
  readonly exchange: Exchange;
  readonly snapshots: ModelSnapshots;
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #program: Program;
  readonly #cutUntil = { session: 0, exchange: 0 };
  /** What waits while the process is stopped; null while it runs. */
  #waiting: (() => void)[] | null = null;
  #isClosing = false;
  isAlive = true;
  welcome: Welcome__Output | null = null;
  /** Not taken yet. */
  directive: Directive__Output | null = null;
  plan: Plan__Output | null = null;
  state: ModelState = untrained;
  position: Position = nowhere;
  /** It has promised to apply nothing of any generation below this one. */
  haltedIn = 0;
  ticks = 0;
  /** Of a defect: what is done too late, until it says that it is done. */
  late: (() => boolean) | null = null;
  /** Of a defect: how often a part was evaluated. */
  readonly evaluated = new Map<string, number>();

  constructor(world: World, identity: Identity) {
    this.world = world;
    this.incarnation = identity.incarnation;
    this.name = identity.name;
    this.pid = identity.pid;
    this.exchange = new Exchange(world, this);
    this.snapshots = new ModelSnapshots(this);
    this.#session = createSession(identity, {
      welcome: (welcome) => {
        this.welcome = welcome;
      },
      directive: (directive) => {
        this.directive = directive;
      },
      plan: (plan) => {
        this.plan = plan;
      },
      fatal: (error) => this.fail(error),
    });
    this.#connection = new Connection(this, this.#session);
    this.#program = new Program(this, trainerLife(this));
  }

  start(): void {
    this.#connection.open();
    this.#beatLater();
    this.run(() => undefined);
  }

  /** What happens to this process, or in it: not once it has ended, and later while it is stopped. */
  run(happen: () => void): void {
    if (!this.isAlive) return;
    if (this.#waiting) {
      this.#waiting.push(happen);
      return;
    }
    happen();
    if (!this.isAlive || this.#isClosing) return;
    this.#program.wake();
    this.snapshots.wake();
    if (this.late?.()) this.late = null;
  }

  after(milliseconds: number, happen: () => void): void {
    this.world.time.after(milliseconds, () => this.run(happen));
  }

  send(message: TrainerMessage): void {
    this.#session.send(message);
  }

  /** The newest directive that is not taken yet; what it replaces is never carried out. */
  *nextDirective(): Task<Directive__Output> {
    yield () => this.directive !== null;
    const { directive } = this;
    this.directive = null;
    if (!directive) throw new BrokenPromise('a directive went away');
    return directive;
  }

  isCutOff(what: 'session' | 'exchange'): boolean {
    return this.#cutUntil[what] > this.world.time.now;
  }

  cutOff(what: 'session' | 'exchange', milliseconds: number): void {
    this.#cutUntil[what] = this.world.time.now + milliseconds;
    if (what === 'session') this.#connection.break(true);
  }

  mendSession(): void {
    this.#cutUntil.session = 0;
  }

  get isStopped(): boolean {
    return this.#waiting !== null;
  }

  stop(): void {
    this.#waiting ??= [];
  }

  wake(): void {
    const missed = this.#waiting ?? [];
    this.#waiting = null;
    for (const happen of missed) this.run(happen);
  }

  /** `isNoticed`: whether the coordinator's end of the stream breaks too, as it does not when a machine is gone. */
  kill(isNoticed: boolean): void {
    this.#connection.break(isNoticed);
    this.#end('SIGKILL');
  }

  leave(reason: string): void {
    this.run(() => {
      if (this.#isClosing) return;
      this.send({ goodbye: { appliedStep: this.position.appliedStep, reason } });
      this.#close('exit code 143');
    });
  }

  /** Ends as the real one does after an error of its own. */
  fail(thrown: unknown): void {
    if (thrown instanceof BrokenPromise) throw thrown;
    if (this.#isClosing) return;
    const { code, message } = toThawError(thrown);
    this.world.journal.note(this.name, `fails: ${code}: ${message}`);
    this.send({ failure: { code, message } });
    this.#close('exit code 1');
  }

  finish(): void {
    this.#close('exit code 0');
  }

  #close(reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.exchange.close();
    this.after(this.world.draw('pace', closingMilliseconds), () => {
      this.#connection.close();
      this.#end(reason);
    });
  }

  #end(reason: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.world.trainers.delete(this.incarnation);
    this.world.launcher.ended(this, reason);
  }

  #beatLater(): void {
    this.after(heartbeatMilliseconds, () => {
      const { appliedStep: step } = this.position;
      if (this.#session.connected()) this.send({ heartbeat: { step, phase: 'compute', ticks: this.ticks++ } });
      this.#beatLater();
    });
  }

  /** Moves a blob from or to the coordinator, trying as often as the real client does. Throws CoordinatorLost. */
  *transfer<T>(what: string, move: () => T): Task<T> {
    for (let attempt = 1; ; attempt++) {
      yield this.world.draw('pace', this.world.scenario.transfer);
      if (this.world.coordinator.isUp && !this.isCutOff('session')) return move();
      if (attempt >= attemptsMax) throw new ThawError('CoordinatorLost', `${what}: no connection`);
      yield retryMilliseconds;
    }
  }

  *store(content: string): Task<{ readonly digest: Digest; readonly bytes: number }> {
    const digest = yield* this.transfer('storing a state', () => this.world.disk.put(content));
    return { digest, bytes: content.length };
  }
}

const attemptsMax = 5;
const retryMilliseconds = 200;
