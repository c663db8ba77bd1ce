import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aHello, aPlan, aReady, aStage, incarnationOf, Play, type Script } from '../testing/builders.ts';
import type { JobPlan } from './job-plan.ts';
import type { StageResult } from './kept-stage.ts';
import { nextKey } from './stage-reuse.ts';
import type { JobState } from './state.ts';

const facts = (digit: string): string => `sha256:${digit.repeat(64)}`;

const stages = [
  aStage({ facts: facts('a') }),
  aStage({ name: 'block', facts: facts('b'), onEnter: 'restoreBest' }),
  aStage({ name: 'all', facts: facts('c'), onEnter: 'continue' }),
];
const plan = aPlan({ stages });

/** The best epochs are 0, 3 and 4; each stage has two. */
const script: Script = [6, 5, 7, 8, 9, 7];

const fresh = new Play(plan).gather(2).playOn(script);
const kept = fresh.kept();

const stateOf = (epoch: number): string => `sha256:${epoch.toString(16).padStart(64, 'e')}`;

describe('a job whose first stages were trained before', () => {
  for (const { reused, epoch, restored } of [
    // The first stage's best state is not its last one; the second stage asks for the best.
    { reused: 1, epoch: 2, restored: stateOf(0) },
    // The third one goes on from the last, which its members do not hold, though it is the last one trained.
    { reused: 2, epoch: 4, restored: stateOf(3) },
  ]) {
    it(`begins after ${reused} of them, from the state that a fresh run would have`, () => {
      const play = new Play(plan, kept.slice(0, reused)).gather(2);
      assert.deepEqual(play.work('train').train, {
        stage: reused,
        epoch,
        firstStep: 8 * reused + 1,
        lastStep: 8 * reused + 4,
        stageFirstStep: 8 * reused + 1,
        restoreDigest: restored,
        resetOptimizer: true,
        epochFirstStep: 8 * reused + 1,
        soFar: null,
        snapshotMember: 0,
        restoring: [],
      });
      assert.equal(play.kinds().filter((kind) => kind === 'stageReused').length, reused);
      assert.equal(play.kinds().filter((kind) => kind === 'stageStarted').length, 1);
      play.playOn(script);
      assert.deepEqual(outcome(play.state), outcome(fresh.state));
      assert.deepEqual(
        play.kept().map(({ key }) => key),
        kept.slice(reused).map(({ key }) => key),
      );
    });
  }

  for (const { weights, restored } of [
    { weights: 'best', restored: stateOf(4) },
    { weights: 'last', restored: stateOf(5) },
  ] as const) {
    it(`tests the ${weights} weights at once when all of them were`, () => {
      const play = new Play(aPlan({ stages, weights }), kept).gather(2);
      const work = play.work('evaluate');
      assert.deepEqual([work.split, work.stage, work.epoch, work.restoreDigest], ['test', 2, 5, restored]);
      play.answer(script);
      assert.equal(play.state.phase, 'Exporting');
      assert.deepEqual(play.kept(), []);
    });
  }

  it('says of each what it found, who trained it and when', () => {
    const play = new Play(aPlan({ name: 'fork', stages }), kept.slice(0, 1)).gather(2);
    const event = play.state.outbox.find(({ entry }) => entry.kind === 'stageReused');
    assert.deepEqual(event?.entry, {
      kind: 'stageReused',
      stage: 0,
      name: 'head',
      job: 'digits',
      uid: '01TEST',
      trainedAt: new Date(fresh.state.stages[0]?.endedAt ?? 0).toISOString(),
      epochs: 2,
      lastEpoch: 1,
      steps: 8,
      reason: 'all 8 steps are done',
      bestEpoch: 0,
      bestValue: 0.6,
      validation: fresh.state.stages[0]?.epochs[0]?.validation,
      seconds: 12,
    });
    const [stage] = play.state.stages;
    assert.deepEqual(stage?.reused, { job: 'digits', uid: '01TEST' });
    assert.equal(stage?.endedAt, fresh.state.stages[0]?.endedAt);
  });

  it('may be told apart in every counter that a stage begins with', () => {
    const [first, second] = kept as [StageResult, StageResult];
    const key = keyAfter(first);
    const { record, held } = first;
    const others: StageResult[] = [
      { ...first, held: { ...held, digest: second.held.digest } },
      { ...first, held: { ...held, epoch: held.epoch + 1 } },
      { ...first, record: { ...record, steps: record.steps + 1 } },
      { ...first, record: { ...record, best: second.record.best } },
    ];
    assert.equal(keyAfter(first), key);
    assert.equal(new Set([key, ...others.map(keyAfter)]).size, 5);
  });
});

describe("a stage's key", () => {
  const before = keyOf(plan);
  const artifacts = plan.artifacts;
  const inside: readonly (readonly [string, JobPlan])[] = [
    ['the facts of the job', { ...plan, facts: facts('d') }],
    ['the samples', { ...plan, dataDigest: facts('d') }],
    ['the graph', { ...plan, artifacts: { ...artifacts, graph: facts('d') } }],
    ['the source weights', { ...plan, artifacts: { ...artifacts, weights: [facts('d')] } }],
    ["the stage's facts", { ...plan, stages: [aStage({ facts: facts('d') })] }],
  ];
  for (const [what, changed] of inside) {
    it(`changes with ${what}`, () => {
      assert.notEqual(keyOf(changed), before);
      assert.equal(new Play(changed, kept).gather(2).work('train').train.stage, 0);
    });
  }

  const outside: readonly (readonly [string, JobPlan])[] = [
    ['the name', { ...plan, name: 'other' }],
    ['the number of trainers', { ...plan, replicas: 1 }],
    ['the weights that are wanted in the end', { ...plan, weights: 'last' }],
    ["a stage's name", { ...plan, stages: stages.map((stage) => ({ ...stage, name: `${stage.name}-2` })) }],
    ['where the samples lie', { ...plan, artifacts: { ...artifacts, dataRoot: '/elsewhere' } }],
  ];
  for (const [what, changed] of outside) {
    it(`does not change with ${what}`, () => {
      assert.equal(keyOf(changed), before);
      assert.equal(new Play(changed, kept).gather(changed.replicas).work('evaluate').split, 'test');
    });
  }

  it('does not change with later stages, where trainers prove each stage for itself', () => {
    const ready = (probeDigest: string, ...stageProbeDigests: string[]) => aReady({ probeDigest, stageProbeDigests });
    const key = keyOf(plan, ready('whole', 'head', 'block', 'all'));
    assert.equal(keyOf(aPlan({ stages: stages.slice(0, 1) }), ready('other', 'head')), key);
    assert.notEqual(keyOf(plan, ready('whole', 'other', 'block', 'all')), key);
    assert.notEqual(keyOf(plan, aReady({ probeDigest: 'other' })), keyOf(plan));
  });

  it('changes with the engine class', () => {
    const engineClass = { engine: 'cpu', version: '2', device: 'cpu', cpuFeatures: 'avx2', threads: 1 };
    assert.notEqual(keyOf(plan, aReady({ engineClass })), before);
  });
});

describe('training', () => {
  const bad = (id: string) => ({ split: 'train', id, reason: 'truncated' });

  it('waits for the search, and begins with what it found', () => {
    const play = new Play(plan, null).gather(2);
    assert.deepEqual([play.state.phase, play.kind()], ['Gathering', undefined]);
    assert.equal(play.state.reason, 'looking for stages that are trained already');
    play.tell({ kind: 'stagesFound', results: kept.slice(0, 1), badSamples: [] });
    assert.equal(play.work('train').train.stage, 1);
    play.tell({ kind: 'stagesFound', results: kept, badSamples: [bad('a')] });
    assert.equal(play.work('train').train.stage, 1);
    assert.equal(play.state.badSamples.counts.train, 0);
  });

  it('waits for the trainers, and keeps what it found when one of them is lost', () => {
    const play = new Play(plan, kept);
    play.tell({ kind: 'hello', hello: aHello(0) });
    play.tell({ kind: 'ready', from: incarnationOf(0), ready: aReady() });
    assert.equal(play.state.stages.length, 3);
    assert.equal(play.state.reason, '1 of 2 trainers ready');
    play.tell({ kind: 'lost', from: incarnationOf(0), reason: 'gone' });
    assert.equal(play.state.reason, '0 of 2 trainers ready');
    assert.equal(play.join(2, 1).state.stages.length, 3);
  });

  it('searches again under a coordinator that took over before the answer came', () => {
    const play = new Play(plan, null).gather(2);
    assert.deepEqual(play.tell({ kind: 'started' }), [{ kind: 'findStages' }]);
    play.tell({ kind: 'stagesFound', results: [], badSamples: [] });
    assert.deepEqual(play.tell({ kind: 'started' }), []);
  });

  it('counts the bad samples of reused stages as its own', () => {
    const play = new Play(aPlan({ stages, maxBadSamples: 0.02 }), null).gather(2);
    play.tell({ kind: 'stagesFound', results: kept.slice(0, 1), badSamples: [bad('a'), bad('b')] });
    assert.equal(play.state.badSamples.counts.train, 2);
    assert.equal(play.work('train').train.stage, 1);
    play.tell({ kind: 'badSamples', from: incarnationOf(0), samples: [bad('c')] });
    assert.equal(play.state.failure?.code, 'TooManyBadSamples');
  });

  it('does not begin when the reused stages had more bad samples than this job allows', () => {
    const play = new Play(aPlan({ stages, maxBadSamples: 0.02 }), null).gather(2);
    const samples = Array.from({ length: 300 }, (_, i) => bad(`${i}`));
    play.tell({ kind: 'stagesFound', results: kept.slice(0, 1), badSamples: samples });
    assert.equal(play.state.failure?.code, 'TooManyBadSamples');
    const event = play.state.outbox.find(({ entry }) => entry.kind === 'badSamples')?.entry;
    assert.ok(event?.kind === 'badSamples');
    assert.deepEqual([event.samples.length, event.more], [200, 100]);
  });

  it('keeps a stage before a state of it may be dropped', () => {
    const play = new Play(aPlan({ stages: stages.slice(0, 1) })).gather(2).playOn([5, 6]);
    const kinds = play.effects.map(({ kind }) => kind).filter((kind) => kind === 'keepStage' || kind === 'discard');
    assert.deepEqual(kinds, ['keepStage', 'discard']);
  });
});

/** What must not depend on whether stages were reused. */
function outcome({ cursor, held, stages: records, test }: JobState) {
  const { epochStartedAt: _, ...place } = cursor;
  const told = records.map(({ startedAt: _s, endedAt: _e, reused: _r, epochs, ...rest }) => ({
    ...rest,
    epochs: epochs.map(({ trainSeconds: _t, ...figures }) => figures),
  }));
  return { place, held, told, test };
}

function keyAfter(result: StageResult): string | null {
  const { engine } = fresh.state;
  return nextKey({ plan, engine }, [result]);
}

/** Of the first stage. */
function keyOf(changed: JobPlan, ready = aReady()): string | undefined {
  const play = new Play(changed);
  for (let i = 0; i < changed.replicas; i++) play.tell({ kind: 'hello', hello: aHello(i) });
  for (let i = 0; i < changed.replicas; i++) play.tell({ kind: 'ready', from: incarnationOf(i), ready });
  return play.state.stages[0]?.key;
}
