// The coordinator as a process: the production core and the production way of saying directives and of noticing who is gone,
// in a loop like the real one: decide, store the state, then let the effects leave. It can crash, and come back from
// what the disk holds.

import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import { decide } from '@thaw/coordinator/core/decide.ts';
import type { CoreEvent, Effect } from '@thaw/coordinator/core/events.ts';
import { initialState } from '@thaw/coordinator/core/initial-state.ts';
import type { JobState } from '@thaw/coordinator/core/state.ts';
import { decodeState, encodeState, sameStored } from '@thaw/coordinator/core/stored-form.ts';
import { welcomeMessage } from '@thaw/coordinator/core/welcome.ts';
import { createDirectives, type Directives } from '@thaw/coordinator/runtime/directives.ts';
import { coreEvent } from '@thaw/coordinator/runtime/incoming.ts';
import { createLiveness } from '@thaw/coordinator/runtime/liveness.ts';
import { goOnLater } from './faults.ts';
import { Housekeeping } from './housekeeping.ts';
import { ModelSessions } from './sessions.ts';
import type { World } from './world.ts';

const tickMilliseconds = 250;
const resendMilliseconds = 1000;
/** What the simulation's clock adds to be a wall clock. */
const wallMilliseconds = 1_800_000_000_000;

export class CoordinatorProcess {
  readonly #world: World;
  /** Counts the processes; what an earlier one had under way comes to nothing. */
  #life = 0;
  #inbox: CoreEvent[] = [];
  #isTurning = false;
  #liveness = createLiveness();
  #directives: Directives;
  #housekeeping: Housekeeping;
  #snapshotAt = 0;
  #heartbeatStep = 0;
  sessions: ModelSessions;
  state: JobState;
  isUp = false;

  constructor(world: World) {
    this.#world = world;
    const names = world.chance('names');
    const identity = { uid: '01SIM', runToken: names.hex(16), reign: names.hex(16), term: 1 };
    this.state = initialState(world.scenario.plan, identity);
    this.sessions = this.#newSessions();
    this.#directives = createDirectives(this.sessions);
    this.#housekeeping = new Housekeeping(world, this);
    world.disk.state = this.state;
  }

  start(opening: CoreEvent = { kind: 'started' }): void {
    this.#life += 1;
    this.isUp = true;
    this.#inbox = [];
    this.#isTurning = false;
    this.#liveness = createLiveness();
    this.sessions = this.#newSessions();
    this.#directives = createDirectives(this.sessions);
    this.#housekeeping = new Housekeeping(this.#world, this);
    this.#snapshotAt = this.#world.time.now;
    this.#heartbeatStep = 0;
    this.post(opening);
    this.#tickLater(this.#world.time.now);
  }

  crash(): void {
    this.isUp = false;
    this.#life += 1;
    this.#inbox = [];
    this.sessions.breakAll();
  }

  /** From what the disk holds, under the next term. */
  restart(): void {
    const { disk, scenario } = this.#world;
    const stored = decodeState(encodeState(disk.state as JobState));
    const names = this.#world.chance('names');
    const runToken = names.hex(16);
    this.state = { ...stored, term: stored.term + 1, reign: names.hex(16) };
    if (stored.eventSequence === 0) {
      this.state = { ...this.state, runToken };
      this.start();
      return;
    }
    const found = this.#housekeeping.takeUp(stored);
    this.start({ kind: 'resumed', plan: scenario.plan, runToken, isSameReign: false, ...found });
  }

  post(event: CoreEvent): void {
    if (!this.isUp) return;
    this.#inbox.push(event);
    if (!this.#isTurning) this.after(0, () => this.#turn());
  }

  /** Not if this process ends before. */
  after(milliseconds: number, happen: () => void): void {
    const life = this.#life;
    this.#world.time.after(milliseconds, () => {
      if (life === this.#life) happen();
    });
  }

  #turn(): void {
    if (this.#isTurning || this.#inbox.length === 0) return;
    this.#isTurning = true;
    const now = wallMilliseconds + this.#world.time.now;
    const effects: Effect[] = [];
    let { state } = this;
    for (const event of this.#inbox.splice(0)) {
      const before = state;
      const decision = decide(state, event, now);
      state = decision.state;
      effects.push(...decision.effects);
      this.#note(before, state, event);
    }
    this.#store(state, effects);
  }

  #store(state: JobState, effects: readonly Effect[]): void {
    const left = (): void => {
      this.#world.checks.decided(this.state);
      for (const effect of effects) this.#perform(effect);
      this.#isTurning = false;
      this.#turn();
    };
    if (sameStored(this.state, state)) {
      this.state = state;
      left();
      return;
    }
    const written = { ...state, write: state.write + 1 };
    const { scenario, disk } = this.#world;
    // A crash may come when the state is on disk and nobody knows of it.
    this.after(this.#world.draw('disk', scenario.write), () => {
      disk.state = written;
      this.after(this.#world.draw('disk', scenario.write), () => {
        this.state = written;
        left();
        this.#publish();
      });
    });
  }

  #publish(): void {
    const sequence = this.state.outbox.at(-1)?.sequence;
    if (sequence !== undefined) this.after(1, () => this.post({ kind: 'published', sequence }));
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'welcome':
        this.sessions.send(effect.to, { welcome: welcomeMessage(this.state, 'nats://sim') });
        return;
      case 'release':
        this.#liveness.forget(effect.to);
        this.#directives.release(effect.to, { term: this.state.term, ...effect });
        return;
      case 'disconnect':
        this.#liveness.forget(effect.to);
        this.sessions.disconnect(effect.to);
        return;
      case 'refuse':
        this.#liveness.forget(effect.to);
        this.sessions.refuse(effect.to, effect.code, effect.message);
        return;
      case 'direct':
        for (const to of effect.to) this.#directives.send(this.state, to);
        return;
      case 'plan':
        this.#snapshotAt = this.#world.time.now;
        for (const to of effect.to) this.#directives.sendPlan(this.state, to);
        return;
      case 'findStages':
        this.after(this.#world.draw('disk', this.#world.scenario.write), () =>
          this.post({ kind: 'stagesFound', results: [], badSamples: [] }),
        );
        return;
      case 'keepSnapshot':
        this.#snapshotAt = this.#world.time.now;
        this.#housekeeping.perform(effect);
        return;
      case 'takeUp':
      case 'export':
      case 'discard':
      case 'keepStage':
        this.#housekeeping.perform(effect);
        return;
      case 'ended':
        if (this.state.phase === 'Cancelled') goOnLater(this.#world, true);
        return;
      case 'superseded':
        return;
      default:
        assertNever(effect, 'effect');
    }
  }

  /** Repeats and notices; it decides nothing. */
  #tickLater(resentAt: number): void {
    this.after(tickMilliseconds, () => {
      const { now } = this.#world.time;
      for (const { incarnation, reason } of this.#liveness.check(now, 0)) {
        this.post({ kind: 'lost', from: incarnation, reason });
      }
      const isDue = now - resentAt >= resendMilliseconds;
      if (isDue) this.#repeat();
      this.#tickLater(isDue ? now : resentAt);
    });
  }

  #repeat(): void {
    const { now } = this.#world.time;
    this.#directives.resend(this.state);
    if (this.#heartbeatStep > this.state.reachedStep) this.post({ kind: 'reached', step: this.#heartbeatStep });
    const isTraining = this.state.directive?.work.kind === 'train';
    if (!isTraining || now - this.#snapshotAt < this.state.plan.snapshotSeconds * 1000) return;
    this.#snapshotAt = now;
    this.post({ kind: 'snapshotDue' });
  }

  #newSessions(): ModelSessions {
    return new ModelSessions({
      message: (from, message) => {
        this.#liveness.heard(from, this.#world.time.now, message.heartbeat);
        if (message.heartbeat) this.#heartbeatStep = Math.max(this.#heartbeatStep, message.heartbeat.step);
        if (message.ack) this.#directives.acknowledged(from, message.ack.revision);
        const event = coreEvent(from, message, (samples) => samples);
        if (event) this.post(event);
      },
      closed: (from) => this.#liveness.closed(from, this.#world.time.now),
    });
  }

  #note(before: JobState, state: JobState, event: CoreEvent): void {
    const { journal } = this.#world;
    const isQuiet = before === state || event.kind === 'published' || event.kind === 'reached';
    if (!isQuiet) journal.note('coordinator', `${described(event)}: ${state.phase}, ${workOf(state)}`);
  }
}

function workOf({ directive, generation, members }: JobState): string {
  const names = generation?.members.map(({ name }) => name).join(', ') ?? '';
  const there = members.map(({ name, ready }) => (ready ? name : `(${name})`)).join(', ');
  const work = directive ? `${directive.revision} ${directive.work.kind}` : 'nothing';
  return `directive ${work} of generation ${generation?.number ?? 0} [${names}]; there are [${there}]`;
}

function described(event: CoreEvent): string {
  const from = 'from' in event ? ` ${event.from.slice(0, 4)}` : '';
  switch (event.kind) {
    case 'hello':
      return `hello of ${event.hello.name} (${event.hello.incarnation.slice(0, 4)})`;
    case 'report':
      return `report ${event.report.revision} ${event.report.result}${from}`;
    case 'snapshotTaken':
      return `snapshot after step ${event.taken.step}${from}`;
    case 'failure':
      return `failure${from}: ${event.failure.message}`;
    case 'lost':
    case 'goodbye':
      return `${event.kind}${from}: ${event.reason}`;
    case 'exited':
      return `${event.name} exited`;
    case 'scale':
      return `scale to ${event.replicas}`;
    default:
      return `${event.kind}${from}`;
  }
}
