// The loop around the core: take everything that waits, decide, store the state, then let the effects leave. Beside it
// run the outbox (events to the stream) and one timer (renewal, resending, liveness). Decisions are the core's alone.

import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@thaw/common/clock/clock.ts';
import { assertNever, invariant, ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { Heartbeat__Output } from '@thaw/proto/gen/thaw/v1/Heartbeat.ts';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import { decide } from '../core/decide.ts';
import { outboxEventsMax } from '../core/event-log.ts';
import type { CoreEvent, Effect } from '../core/events.ts';
import type { StageResult } from '../core/kept-stage.ts';
import { scaleProblem } from '../core/members.ts';
import { jobStatus } from '../core/progress.ts';
import { referenced } from '../core/references.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { nextKey } from '../core/stage-reuse.ts';
import { isTerminal, type JobState } from '../core/state.ts';
import { sameStored } from '../core/stored-form.ts';
import { welcomeMessage } from '../core/welcome.ts';
import { createDirectives } from './directives.ts';
import { createInbox } from './inbox.ts';
import { coreEvent } from './incoming.ts';
import { createLiveness } from './liveness.ts';
import type {
  EventStream,
  ResultExporter,
  Sessions,
  SnapshotStore,
  StageResults,
  StateStore,
  TakenUp,
} from './ports.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { createSeenSamples } from './seen-samples.ts';

export interface CoordinatorPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: StateStore;
  readonly stream: EventStream;
  readonly sessions: Sessions;
  readonly exporter: ResultExporter;
  /** Takes away what the exporter has written. */
  withdraw(): Promise<void>;
  /** What was trained before. */
  readonly stages: StageResults;
  readonly snapshots: SnapshotStore;
  /** What drops a stored state that nothing refers to now, unless it is stored again before. */
  discard(digest: string): () => Promise<void>;
  /** What the job can go on from when no trainer holds its state; drops every blob that is of no use for that. */
  takeUp(state: JobState): Promise<TakenUp>;
  readonly natsUrl: string;
}

/** What the loop begins with. */
export type Opening = Extract<CoreEvent, { readonly kind: 'started' | 'resumed' }>;

const tickMilliseconds = 250;
const renewMilliseconds = 1000;
const resendMilliseconds = 1000;
/** How long trainers get to take their last directive and leave. */
const farewellMilliseconds = 1500;
const farewellPollMilliseconds = 20;
const turnPollMilliseconds = 10;

export class Coordinator {
  readonly #ports: CoordinatorPorts;
  readonly #inbox = createInbox();
  readonly #liveness = createLiveness();
  readonly #seenSamples;
  readonly #heartbeats = new Map<string, Heartbeat__Output>();
  readonly #directives;
  readonly #publisher: Publisher;
  #state: JobState;
  #storedAt: number;
  /** When the last snapshot was taken, or training began. */
  #snapshotAt: number;
  #over = false;
  #ended = false;
  #superseded: ThawError | null = null;
  /** The broker is gone: the end is told to trainers though it cannot be stored. */
  #unstorable = false;
  /** The export under way or done; null when there was none. */
  #exporting: Promise<void> | null = null;
  /** What is done to stored states, one after the other: a stage is kept before its states may be dropped. */
  #housekeeping: Promise<void> = Promise.resolve();
  stateWrites = 0;
  stateWriteSeconds = 0;
  snapshotsStored = 0;

  /** `taken`: the state as it stands under the job's key. `opening`: what the loop begins with. */
  constructor(taken: JobState, ports: CoordinatorPorts, opening: Opening = { kind: 'started' }) {
    this.#ports = ports;
    this.#state = taken;
    this.#seenSamples = createSeenSamples(opening.kind === 'resumed' ? opening.badSamples : []);
    this.#storedAt = ports.clock.monotonic();
    this.#snapshotAt = this.#storedAt;
    this.#directives = createDirectives(ports.sessions);
    this.#publisher = createPublisher(ports.stream, {
      published: ({ sequence, entry }) => {
        ports.log.info(entry, entry.kind);
        this.post({ kind: 'published', sequence });
      },
      failed: ({ code, message }) => this.post({ kind: 'broken', code, message }),
    });
    // Whatever comes while the ports are opened, a signal too, is decided after it.
    this.post(opening);
  }

  /** Resolves when the job is over, its last event published, its trainers told. Throws TermSuperseded. */
  async run(): Promise<JobState> {
    const timer = this.#startTimer();
    try {
      while (!this.#over && !this.#superseded) {
        await this.#inbox.filled();
        await this.#turn(this.#inbox.drain());
      }
    } finally {
      clearInterval(timer);
    }
    if (this.#superseded) throw this.#superseded;
    await this.#publisher.idle();
    await this.#exporting;
    await this.#housekeeping;
    if (this.#state.phase !== 'Succeeded') await this.#withdraw();
    this.#ended = true;
    await this.#farewell();
    return this.#state;
  }

  post(event: CoreEvent): void {
    this.#inbox.post(event);
  }

  message(from: string, message: TrainerMessage__Output): void {
    this.#liveness.heard(from, this.#ports.clock.monotonic(), message.heartbeat);
    if (message.heartbeat) this.#beat(from, message.heartbeat);
    if (message.ack) this.#directives.acknowledged(from, message.ack.revision);
    const event = coreEvent(from, message, this.#seenSamples.firstSeen);
    if (event) this.post(event);
  }

  /** Ends the job in good order, with a snapshot where there is something to store. */
  stop(reason: string): void {
    this.post({ kind: 'stop', reason });
  }

  /** Another number of trainers; returns what is wrong with it, or null. */
  scale(replicas: number): string | null {
    const problem = scaleProblem(this.#state, replicas);
    if (problem === null) this.post({ kind: 'scale', replicas });
    return problem;
  }

  closed(from: string): void {
    this.#liveness.closed(from, this.#ports.clock.monotonic());
  }

  get state(): JobState {
    return this.#state;
  }

  get inboxDepth(): number {
    return this.#inbox.depth;
  }

  get directivesResent(): number {
    return this.#directives.resent;
  }

  /** Why this process can do no more for the job, in words; null while it can. */
  get unhealthy(): string | null {
    const { phase, reason } = this.#state;
    if (isTerminal(this.#state)) return `the job is over: ${phase}: ${reason}`;
    return this.#unstorable ? "the job's state cannot be stored" : null;
  }

  /** The job is over and its last event is among `eventLines`. */
  get ended(): boolean {
    return this.#ended;
  }

  status(): JobStatus {
    return jobStatus(this.#state, this.#beats(), this.#ports.clock.wall());
  }

  eventLines(from: number): ReturnType<Publisher['lines']> {
    return this.#publisher.lines(from);
  }

  #beat(from: string, heartbeat: Heartbeat__Output): void {
    this.#heartbeats.set(from, heartbeat);
  }

  /** The newest step of a heartbeat. */
  #reachedStep(): number {
    return Math.max(0, ...this.#beats().map(({ step }) => step));
  }

  /** The last heartbeat of each one that trains. */
  #beats(): Heartbeat__Output[] {
    return this.#training().flatMap((incarnation) => this.#heartbeats.get(incarnation) ?? []);
  }

  /** Incarnations; all that are there while nobody is told to work. */
  #training(): readonly string[] {
    const { generation, members, directive } = this.#state;
    const training = directive === null ? members : (generation?.members ?? members);
    return training.map(({ incarnation }) => incarnation);
  }

  async #turn(events: readonly CoreEvent[]): Promise<void> {
    try {
      const { state, effects } = this.#decide(events);
      await this.#store(state);
      for (const effect of effects) this.#perform(effect);
      if (this.#unstorable) this.#publisher.streamGone();
      this.#publisher.offer(this.#state.outbox);
    } catch (thrown) {
      this.#failedTurn(toThawError(thrown));
    }
  }

  #decide(events: readonly CoreEvent[]): { readonly state: JobState; readonly effects: readonly Effect[] } {
    const now = this.#ports.clock.wall();
    const effects: Effect[] = [];
    let state = this.#state;
    for (const event of events) {
      const decision = decide(state, event, now);
      state = decision.state;
      effects.push(...decision.effects);
      this.#unstorable ||= event.kind === 'broken' && event.code === 'BrokerLost';
    }
    invariant(state.outbox.length <= outboxEventsMax, `${state.outbox.length} events wait for the stream`);
    return { state, effects };
  }

  async #store(state: JobState): Promise<void> {
    const { clock, store } = this.#ports;
    const started = clock.monotonic();
    const due = started - this.#storedAt >= renewMilliseconds;
    const changed = !sameStored(this.#state, state);
    if (this.#unstorable || !(changed || due)) {
      this.#state = state;
      return;
    }
    const numbered = { ...state, write: state.write + 1 };
    await store.save(numbered);
    this.#state = numbered;
    this.#storedAt = clock.monotonic();
    this.stateWrites += 1;
    this.stateWriteSeconds += (this.#storedAt - started) / 1000;
  }

  /** What was decided is void: it was not stored. The job ends with the reason, or another coordinator has it. */
  #failedTurn(error: ThawError): void {
    this.#ports.log.error({ code: error.code, err: error }, error.message);
    if (error.code === 'TermSuperseded') {
      this.#superseded = error;
      return;
    }
    if (this.#unstorable) throw error;
    this.#unstorable = true;
    this.post({ kind: 'broken', code: error.code, message: error.message });
  }

  #perform(effect: Effect): void {
    const { sessions, natsUrl } = this.#ports;
    switch (effect.kind) {
      case 'welcome':
        sessions.send(effect.to, { welcome: welcomeMessage(this.#state, natsUrl) });
        return;
      case 'release':
        this.#liveness.forget(effect.to);
        this.#directives.release(effect.to, { term: this.#state.term, ...effect });
        return;
      case 'disconnect':
        this.#liveness.forget(effect.to);
        sessions.disconnect(effect.to);
        return;
      case 'takeUp':
        void this.#takeUp();
        return;
      case 'refuse':
        this.#liveness.forget(effect.to);
        sessions.refuse(effect.to, effect.code, effect.message);
        return;
      case 'direct':
        for (const to of effect.to) this.#directives.send(this.#state, to);
        return;
      case 'plan':
        this.#snapshotAt = this.#ports.clock.monotonic();
        for (const to of effect.to) this.#directives.sendPlan(this.#state, to);
        return;
      case 'keepSnapshot':
        void this.#keepSnapshot(effect.snapshot);
        return;
      case 'export':
        // Decided in a turn that also ended the job: nothing is to be written any more.
        if (!isTerminal(this.#state)) this.#exporting = this.#export();
        return;
      case 'discard':
        // The stored state may still name it: it is what the job is taken up from.
        if (!this.#unstorable) this.#discard(effect.digest);
        return;
      case 'findStages':
        void this.#findStages();
        return;
      case 'keepStage':
        this.#keepStage(effect.result);
        return;
      case 'superseded':
        this.#superseded = new ThawError(
          'TermSuperseded',
          `a trainer has seen term ${effect.term}; this coordinator has term ${this.#state.term}`,
        );
        return;
      case 'ended':
        this.#over = true;
        return;
      default:
        assertNever(effect, 'effect');
    }
  }

  /** No trainer holds the state any more: what is on disk is what there is. */
  async #takeUp(): Promise<void> {
    try {
      // What is being stored counts as soon as that is decided; before, it would be taken for a leftover.
      while (this.#state.pending.writing.length > 0 && !this.#over) await delay(turnPollMilliseconds);
      await this.#housekeeping;
      const { plan, runToken } = this.#state;
      const taken = await this.#ports.takeUp(this.#state);
      const badSamples = this.#seenSamples.all();
      this.post({ kind: 'resumed', plan, runToken, isSameReign: true, ...taken, badSamples });
    } catch (thrown) {
      const { code, message } = toThawError(thrown);
      this.post({ kind: 'broken', code, message });
    }
  }

  async #findStages(): Promise<void> {
    const { plan, engine } = this.#state;
    const found = await this.#ports.stages.find((results) => nextKey({ plan, engine }, results));
    const { results } = found;
    this.post({ kind: 'stagesFound', results, badSamples: this.#seenSamples.firstSeen(found.badSamples) });
  }

  #keepStage(result: StageResult): void {
    const badSamples = this.#seenSamples.all();
    this.#housekeeping = this.#housekeeping.then(() => this.#ports.stages.keep(result, badSamples));
  }

  async #keepSnapshot(snapshot: Snapshot): Promise<void> {
    this.#snapshotAt = this.#ports.clock.monotonic();
    try {
      const digest = await this.#ports.snapshots.keep(snapshot, this.#seenSamples.all());
      this.snapshotsStored += 1;
      this.post({ kind: 'snapshotKept', digest, snapshot });
    } catch (thrown) {
      const { code, message } = toThawError(thrown);
      this.post({ kind: 'broken', code, message });
    }
  }

  #discard(digest: string): void {
    const { log } = this.#ports;
    const remove = this.#ports.discard(digest);
    this.#housekeeping = this.#housekeeping
      .then(() => (referenced(this.#state).has(digest) ? undefined : remove()))
      .catch((error: unknown) => log.warn({ err: error }, 'an old state stays on disk'));
  }

  async #export(): Promise<void> {
    try {
      this.post({ kind: 'exported', ...(await this.#ports.exporter.export(this.#state)) });
    } catch (thrown) {
      const error = toThawError(thrown);
      this.#ports.log.error({ code: error.code, err: error }, error.message);
      this.post({ kind: 'broken', code: error.code, message: error.message });
    }
  }

  /** A report says that all is well: none may stay behind from an export that the job's end overtook. */
  async #withdraw(): Promise<void> {
    if (!this.#exporting) return;
    const { withdraw, log } = this.#ports;
    await withdraw().catch((error: unknown) => log.error({ err: error }, 'a result stays that is none'));
  }

  /** The timer only posts and repeats; it never decides, and what arrived before it is decided first. */
  #startTimer(): NodeJS.Timeout {
    const { clock } = this.#ports;
    let tickedAt = clock.monotonic();
    let resentAt = tickedAt;
    return setInterval(() => {
      const now = clock.monotonic();
      const late = Math.max(0, now - tickedAt - 2 * tickMilliseconds);
      tickedAt = now;
      for (const { incarnation, reason } of this.#liveness.check(now, late)) {
        this.post({ kind: 'lost', from: incarnation, reason });
      }
      if (now - resentAt >= resendMilliseconds) {
        resentAt = now;
        this.#directives.resend(this.#state);
      }
      if (now - this.#storedAt >= renewMilliseconds) this.#renew();
      if (now - this.#snapshotAt >= this.#state.plan.snapshotSeconds * 1000) this.#snapshotDue(now);
    }, tickMilliseconds);
  }

  /** What is written each second also says how far training is. */
  #renew(): void {
    const step = this.#reachedStep();
    if (step > this.#state.reachedStep) this.post({ kind: 'reached', step });
    else this.#inbox.wake();
  }

  #snapshotDue(now: number): void {
    if (this.#state.directive?.work.kind !== 'train') return;
    this.#snapshotAt = now;
    this.post({ kind: 'snapshotDue' });
  }

  /** Waits a while until every trainer has left, then closes what is open. */
  async #farewell(): Promise<void> {
    const { clock, sessions } = this.#ports;
    const until = clock.monotonic() + farewellMilliseconds;
    while (sessions.open() > 0 && clock.monotonic() < until) await delay(farewellPollMilliseconds);
    sessions.closeAll();
  }
}
