// The loop with everything around it in memory: what is stored before what leaves, turns that fail, batches that end the
// job, and ends that overtake the export.

import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { createLogger } from '@thaw/common/log/logger.ts';
import type { Heartbeat__Output } from '@thaw/proto/gen/thaw/v1/Heartbeat.ts';
import type { TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { CoreEvent } from '../core/events.ts';
import type { JobState } from '../core/state.ts';
import { aHello, aPlan, aStage, aTaken, incarnationOf, Play } from '../testing/builders.ts';
import { Coordinator, type CoordinatorPorts, type Opening } from './coordinator.ts';
import { inboxEventsMax } from './inbox.ts';
import { hungMilliseconds } from './liveness.ts';

interface World {
  readonly coordinator: Coordinator;
  /** What happened at the ports, in order. */
  readonly journal: string[];
  readonly saved: JobState[];
}

function aWorld(taken: JobState, changes: Partial<CoordinatorPorts> = {}, opening?: Opening): World {
  const journal: string[] = [];
  const saved: JobState[] = [];
  const ports: CoordinatorPorts = {
    clock: { monotonic: () => 0, wall: () => 5_000_000 },
    log: createLogger({ name: 'test', level: 'silent' }),
    natsUrl: 'nats://nowhere',
    store: {
      async save(state) {
        journal.push(`store ${state.phase}`);
        saved.push(state);
      },
    },
    stream: {
      append: async ({ entry }) => void journal.push(`stream ${entry.kind}`),
      project: async ({ entry }) => void journal.push(`file ${entry.kind}`),
    },
    sessions: {
      send: (to, { welcome, directive, plan }) => {
        const what = plan
          ? `plan ${plan.number}`
          : welcome
            ? 'welcome'
            : directive?.finish
              ? `finish ${directive.finish.outcome}`
              : 'directive';
        journal.push(`${what} to ${Number.parseInt(to, 16)}`);
      },
      disconnect: (to) => void journal.push(`disconnect ${Number.parseInt(to, 16)}`),
      refuse: (_, code) => void journal.push(`refuse ${code}`),
      open: () => 0,
      closeAll: () => void journal.push('close sessions'),
    },
    exporter: {
      async export() {
        journal.push('export');
        return { weightsDigest: 'sha256:w' };
      },
    },
    withdraw: async () => void journal.push('withdraw'),
    discard: () => async () => undefined,
    takeUp: async () => ({ snapshot: null, restorePoints: [], badSamples: [], damaged: [] }),
    snapshots: { keep: async () => `sha256:${'5'.repeat(64)}` },
    stages: { find: async () => ({ results: [], badSamples: [] }), keep: async () => undefined },
    ...changes,
  };
  return { coordinator: new Coordinator(taken, ports, opening), journal, saved };
}

/** An export that ends when it is told to. */
function aSlowExport(journal: () => string[]) {
  let finish = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const exporter = {
    async export() {
      journal().push('export begins');
      await done;
      journal().push('export ends');
      return { weightsDigest: 'sha256:w' };
    },
  };
  return { exporter, finish };
}

/** A job whose members are about to report on the test set, and those reports. */
function aJobNearItsEnd(): { readonly state: JobState; readonly last: readonly CoreEvent[] } {
  const play = new Play(aPlan({ stages: [aStage({ steps: 4 })] })).gather(2);
  while (!(play.kind() === 'evaluate' && play.work('evaluate').split === 'test')) play.answer();
  const last = [...play.reports()].map(([from, report]) => ({ kind: 'report', from, report }) as const);
  return { state: { ...play.state, outbox: [] }, last };
}

/** Lets everything that is due happen, without real time. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

const freshState = (): JobState => new Play(aPlan()).state;
const diskFull = { kind: 'broken', code: 'StorageFailed', message: 'disk full' } as const;

describe('a turn', () => {
  it('stores the state before any effect leaves and before events are published', async () => {
    const { coordinator, journal } = aWorld(freshState());
    const run = coordinator.run();
    coordinator.post({ kind: 'hello', hello: aHello(0) });
    await settled();
    assert.deepEqual(journal, ['store Gathering', 'welcome to 0', 'stream jobStarted', 'stream trainerJoined']);
    coordinator.post({ kind: 'cancel', reason: 'seen enough' });
    await run;
    assert.deepEqual(journal.slice(4), [
      'store Cancelled',
      'finish Cancelled to 0',
      'stream jobCancelled',
      'close sessions',
    ]);
  });

  it('numbers what it stores, and stores nothing twice', async () => {
    const { coordinator, saved } = aWorld(freshState());
    const run = coordinator.run();
    await settled();
    coordinator.post({ kind: 'lost', from: 'nobody', reason: 'a stranger' });
    await settled();
    assert.deepEqual(
      saved.map(({ write }) => write),
      [1],
    );
    coordinator.post({ kind: 'cancel', reason: 'seen enough' });
    assert.equal((await run).write, 2);
  });

  it('that could not be stored lets nothing leave, ends the job with the reason, and tells the file', async () => {
    const { coordinator, journal } = aWorld(freshState(), {
      store: { save: () => Promise.reject(new ThawError('StorageFailed', 'disk full')) },
    });
    const run = coordinator.run();
    coordinator.post({ kind: 'hello', hello: aHello(0) });
    const final = await run;
    assert.deepEqual([final.phase, final.failure?.code], ['Failed', 'StorageFailed']);
    assert.deepEqual(journal, ['file jobFailed', 'close sessions']);
  });

  it('that another coordinator overtook ends this one, and touches nothing', async () => {
    const { coordinator, journal } = aWorld(freshState(), {
      store: { save: () => Promise.reject(new ThawError('TermSuperseded', 'term 2 holds the job')) },
    });
    const run = coordinator.run();
    coordinator.post({ kind: 'hello', hello: aHello(0) });
    await assert.rejects(run, { code: 'TermSuperseded' });
    assert.deepEqual(journal, []);
  });

  it('takes up a stopped job before it hears anything else, a signal too', async () => {
    const { state } = new Play(aPlan()).gather(2);
    const nothing = { snapshot: null, restorePoints: [], badSamples: [], damaged: [] };
    const opening: Opening = {
      kind: 'resumed',
      plan: state.plan,
      runToken: 'a'.repeat(16),
      isSameReign: false,
      ...nothing,
    };
    const { coordinator, journal } = aWorld({ ...state, outbox: [] }, {}, opening);
    coordinator.stop('SIGINT');
    assert.equal((await coordinator.run()).phase, 'Cancelled');
    assert.deepEqual(
      journal.filter((line) => line.startsWith('stream')),
      ['stream jobResumed', 'stream jobCancelled'],
    );
  });

  it('of more events than the inbox holds ends the job with a reason; posting never throws', async () => {
    const { coordinator } = aWorld(freshState());
    for (let i = 0; i < inboxEventsMax + 10; i++) coordinator.post({ kind: 'lost', from: 'x', reason: 'flood' });
    const final = await coordinator.run();
    assert.equal(final.failure?.code, 'Internal');
    assert.match(final.failure?.message ?? '', /inbox holds 10000 events/);
  });
});

describe('a job without a broker', () => {
  it('is told to trainers and to the file, not to the store or the stream', async () => {
    const { coordinator, journal } = aWorld(freshState());
    const run = coordinator.run();
    coordinator.post({ kind: 'hello', hello: aHello(0) });
    await settled();
    journal.splice(0);
    coordinator.post({ kind: 'broken', code: 'BrokerLost', message: 'gone' });
    assert.equal((await run).failure?.code, 'BrokerLost');
    assert.deepEqual(journal, ['finish Failed to 0', 'file jobFailed', 'close sessions']);
  });

  it('removes nothing that the stored state may name', async () => {
    const play = new Play(aPlan({ replicas: 1, stages: [aStage({ stepsPerEpoch: 100, steps: 100 })] })).gather(1);
    const kept = (step: number): CoreEvent => {
      const taken = aTaken(play.state, { step, member: 0 });
      const [keep] = play.tell({ kind: 'snapshotTaken', from: incarnationOf(0), taken });
      assert.ok(keep?.kind === 'keepSnapshot');
      return { kind: 'snapshotKept', digest: `sha256:${String(step).padStart(64, '0')}`, snapshot: keep.snapshot };
    };
    for (const step of [10, 20]) play.tell(kept(step));
    const late = [30, 40].map(kept);
    for (const isLost of [false, true]) {
      const discarded: string[] = [];
      const discard = (digest: string) => async () => void discarded.push(digest);
      const { coordinator } = aWorld({ ...play.state, outbox: [] }, { discard });
      const run = coordinator.run();
      for (const event of late) coordinator.post(event);
      coordinator.post(isLost ? { kind: 'broken', code: 'BrokerLost', message: 'gone' } : diskFull);
      await run;
      assert.equal(discarded.length, isLost ? 0 : 4);
    }
  });

  it('is unhealthy, and says why', async () => {
    const { coordinator } = aWorld(freshState());
    assert.equal(coordinator.unhealthy, null);
    const run = coordinator.run();
    coordinator.post({ kind: 'broken', code: 'BrokerLost', message: 'gone' });
    await run;
    assert.equal(coordinator.unhealthy, 'the job is over: Failed: BrokerLost');
  });
});

describe('the export', () => {
  it('begins when the state that asks for it is stored, and its result ends the job', async () => {
    const { state, last } = aJobNearItsEnd();
    const { coordinator, journal } = aWorld(state);
    const run = coordinator.run();
    for (const event of last) coordinator.post(event);
    assert.equal((await run).phase, 'Succeeded');
    const steps = journal.filter((line) => /store|export|withdraw/.test(line));
    assert.deepEqual(steps, ['store Exporting', 'export', 'store Succeeded']);
  });

  it('goes on when the job is cancelled in the same turn: it came too late', async () => {
    const { state, last } = aJobNearItsEnd();
    const { coordinator, journal } = aWorld(state);
    const run = coordinator.run();
    for (const event of [...last, { kind: 'cancel', reason: 'Ctrl-C' } as const]) coordinator.post(event);
    assert.equal((await run).phase, 'Succeeded');
    assert.equal(journal.filter((line) => line === 'export').length, 1);
  });

  it('does not begin when the same turn ended the job', async () => {
    const { state, last } = aJobNearItsEnd();
    const { coordinator, journal } = aWorld(state);
    const run = coordinator.run();
    for (const event of [...last, diskFull]) coordinator.post(event);
    const final = await run;
    assert.deepEqual([final.phase, final.failure?.code], ['Failed', 'StorageFailed']);
    assert.ok(!journal.includes('export'), journal.join(', '));
  });

  it('is not disturbed by a cancel', async () => {
    const { state, last } = aJobNearItsEnd();
    const slow = aSlowExport(() => world.journal);
    const world = aWorld(state, { exporter: slow.exporter });
    const run = world.coordinator.run();
    for (const event of last) world.coordinator.post(event);
    await settled();
    world.coordinator.post({ kind: 'cancel', reason: 'Ctrl-C' });
    await settled();
    assert.equal(world.coordinator.state.phase, 'Exporting');
    slow.finish();
    assert.equal((await run).phase, 'Succeeded');
    assert.ok(!world.journal.includes('withdraw'));
  });

  it('leaves nothing behind when the job fails meanwhile: it is waited for, then taken away', async () => {
    const { state, last } = aJobNearItsEnd();
    const slow = aSlowExport(() => world.journal);
    const world = aWorld(state, { exporter: slow.exporter });
    const run = world.coordinator.run();
    for (const event of last) world.coordinator.post(event);
    await settled();
    world.coordinator.post({ kind: 'broken', code: 'BrokerLost', message: 'gone' });
    await settled();
    assert.ok(!world.journal.includes('withdraw'), 'not while it is being written');
    slow.finish();
    assert.equal((await run).failure?.code, 'BrokerLost');
    assert.deepEqual(world.journal.slice(world.journal.indexOf('export ends')), [
      'export ends',
      'withdraw',
      'close sessions',
    ]);
  });

  it('that fails ends the job with its reason', async () => {
    const { state, last } = aJobNearItsEnd();
    const exporter = { export: () => Promise.reject(new ThawError('StorageFailed', 'disk full')) };
    const { coordinator, journal } = aWorld(state, { exporter });
    const run = coordinator.run();
    for (const event of last) coordinator.post(event);
    assert.equal((await run).failure?.message, 'disk full');
    assert.ok(journal.includes('withdraw'));
  });
});

describe('snapshots', () => {
  afterEach(() => mock.timers.reset());

  /** A job of one trainer that trains a long epoch, two seconds after its coordinator came. */
  async function aLongEpoch(keep: CoordinatorPorts['snapshots']['keep'], changes: Partial<CoordinatorPorts> = {}) {
    mock.timers.enable({ apis: ['setInterval'] });
    let now = 0;
    const clock = { monotonic: () => now, wall: () => 5_000_000 + now };
    const plan = aPlan({ replicas: 1, snapshotSeconds: 2, stages: [aStage({ stepsPerEpoch: 100, steps: 100 })] });
    const world = aWorld({ ...new Play(plan).gather(1).state, outbox: [] }, { clock, snapshots: { keep }, ...changes });
    const run = world.coordinator.run();
    // Tests look at it later.
    run.catch(() => undefined);
    for (; now < 2000; now += 250) mock.timers.tick(250);
    assert.ok(!world.journal.some((line) => line.startsWith('plan')));
    mock.timers.tick(250);
    await settled();
    const taken = aTaken(world.coordinator.state, { step: 40, member: 0, plan: 1 });
    world.coordinator.post({ kind: 'snapshotTaken', from: incarnationOf(0), taken });
    await settled();
    return { ...world, run };
  }

  it('are asked for as often as the job says, by a plan that is stored first; then the restore point moves', async () => {
    const { coordinator, journal, saved, run } = await aLongEpoch(async () => `sha256:${'5'.repeat(64)}`);
    const asked = journal.indexOf('plan 1 to 0');
    assert.ok(asked > 0, journal.join(', '));
    assert.equal(saved.find(({ openPlan }) => openPlan?.number === 1)?.restorePoints.length, 0);
    assert.deepEqual(
      saved.at(-1)?.restorePoints.map(({ step }) => step),
      [40],
    );
    coordinator.post({ kind: 'cancel', reason: 'seen enough' });
    await run;
  });

  it('of a coordinator that another has overtaken move nothing: it leaves', async () => {
    const save = async ({ restorePoints }: JobState): Promise<void> => {
      if (restorePoints.length > 0) throw new ThawError('TermSuperseded', 'another reigns');
    };
    const { coordinator, journal, run } = await aLongEpoch(async () => `sha256:${'5'.repeat(64)}`, { store: { save } });
    await assert.rejects(run, { code: 'TermSuperseded' });
    assert.deepEqual(coordinator.state.restorePoints, []);
    assert.ok(!journal.includes('stream snapshotStored'), journal.join(', '));
  });

  it('that cannot be kept end the job with the reason, and the restore point stays', async () => {
    const { run } = await aLongEpoch(() => Promise.reject(new ThawError('StorageFailed', 'disk full')));
    const { failure, restorePoints } = await run;
    assert.deepEqual([failure?.code, restorePoints], ['StorageFailed', []]);
  });
});

describe('a trainer that hangs', () => {
  afterEach(() => mock.timers.reset());

  it('is lost though its heartbeats go on', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    let now = 0;
    const clock = { monotonic: () => now, wall: () => 5_000_000 + now };
    const { coordinator, journal, saved } = aWorld(freshState(), { clock });
    const run = coordinator.run();
    const said = (message: Partial<TrainerMessage__Output>) =>
      coordinator.message(incarnationOf(0), message as TrainerMessage__Output);
    said({ hello: aHello(0) });
    await settled();
    const heartbeat = { phase: 'compute', ticks: 3, waitingFor: '', step: 0 } as Heartbeat__Output;
    for (; now <= hungMilliseconds; now += 250) {
      if (now % 1000 === 0) said({ heartbeat });
      mock.timers.tick(250);
    }
    await settled();
    assert.ok(journal.includes('disconnect 0'), 'should it wake, it comes as one that wants to join');
    const lost = saved.flatMap(({ outbox }) => outbox).find(({ entry }) => entry.kind === 'trainerLost');
    assert.ok(lost?.entry.kind === 'trainerLost');
    assert.match(lost.entry.reason, /^hung in compute: no progress for 60 s/);
    coordinator.post({ kind: 'cancel', reason: 'seen enough' });
    await run;
  });
});

describe('trainers that come and go', () => {
  it('are told to leave as soon as fewer are wanted, within what the job allows', async () => {
    const play = new Play(aPlan()).gather(2);
    const { coordinator, journal } = aWorld({ ...play.state, outbox: [] });
    const run = coordinator.run();
    assert.match(coordinator.scale(0) ?? '', /^found 0 trainers; expected 1 to 8/);
    assert.equal(coordinator.scale(1), null);
    await settled();
    assert.deepEqual(
      journal.filter((line) => /finish|directive/.test(line)),
      ['finish Released to 1', 'directive to 0'],
    );
    coordinator.post({ kind: 'cancel', reason: 'seen enough' });
    await run;
  });

  it('have the job taken up from the newest snapshot once nobody is left', async () => {
    const play = new Play(aPlan()).gather(2);
    const { coordinator, journal } = aWorld({ ...play.state, outbox: [] });
    const run = coordinator.run();
    for (const index of [0, 1]) {
      coordinator.post({ kind: 'exited', name: `trainer-${index}`, pid: 100 + index, reason: 'killed' });
    }
    await settled();
    coordinator.post({ kind: 'cancel', reason: 'seen enough' });
    assert.equal((await run).resumed.times, 1);
    assert.deepEqual(
      journal.filter((line) => line.startsWith('stream')),
      ['stream trainerLost', 'stream trainerLost', 'stream trainingPaused', 'stream jobResumed', 'stream jobCancelled'],
    );
  });
});
