// Stages that cost the old task too much and are undone: what holds afterwards, what comes next, and what a later job
// reuses of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPlan, aStage, Play } from '../testing/builders.ts';
import type { StagePlan } from './job-plan.ts';
import { type StageResult, statesAfter } from './kept-stage.ts';

const facts = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** Two epochs each. */
const head = aStage({ facts: facts('a') });
const block = aStage({ name: 'block', facts: facts('b'), onEnter: 'restoreBest' });
const all = aStage({ name: 'all', facts: facts('c'), onEnter: 'continue' });

function aRuledPlan(stages: readonly StagePlan[], weights: 'best' | 'last' = 'best') {
  return aPlan({
    samples: { train: 100, validation: 20, test: 20, retention: 30 },
    parts: { validation: 3, test: 3, retention: 3 },
    retention: { classes: 2, maxDrop: 0.2, onExceed: 'rollback' },
    stages,
    weights,
  });
}

/** Right predictions of ten on the validation set and on the old task, by epoch; it begins with nine of ten. */
type Epochs = readonly (readonly [validation: number, old: number])[];

function play(stages: readonly StagePlan[], epochs: Epochs, options: { kept?: StageResult[]; weights?: 'last' } = {}) {
  const one = new Play(aRuledPlan(stages, options.weights), options.kept ?? []).gather(2).answer([9]);
  for (let turns = 0; turns < 100; turns++) {
    const work = one.state.directive?.work;
    if (work?.kind === 'evaluate' && work.split === 'retention') one.answer(epochs.map(([, old]) => old));
    else if (work?.kind === 'evaluate' && work.split === 'test') return one;
    else if (work?.kind === 'finish') return one;
    else one.answer(epochs.map(([validation]) => validation));
  }
  throw new Error('the job does not end');
}

const stateOf = (epoch: number): string => `sha256:${epoch.toString(16).padStart(64, 'e')}`;
/** The player names the state before epoch 0 as it names that of epoch 0's end. */
const sourceState = stateOf(0);

const good: Epochs = [[6, 9], [5, 9]]; // biome-ignore format: a table
const bad: Epochs = [[8, 8], [9, 3]]; // biome-ignore format: a table

describe('a stage that costs the old task more than the job allows', () => {
  for (const { what, stages, epochs, tests } of [
    { what: 'the best of the stage before', stages: [head, block], epochs: [...good, ...bad], tests: [0, stateOf(0)] },
    { what: 'the last one before', stages: [head, all], epochs: [...good, ...bad], tests: [0, stateOf(0)] },
    { what: 'what two undone stages began with', stages: [head, block, all], epochs: [...good, ...bad, ...bad], tests: [0, stateOf(0)] }, // biome-ignore format: a table
  ] as const) {
    it(`is undone, and the job ends with ${what}`, () => {
      const ended = play(stages, epochs);
      const { stage, restoreDigest } = ended.work('evaluate');
      assert.deepEqual([stage, restoreDigest], tests);
      ended.answer([7]);
      assert.deepEqual([ended.state.phase, ended.state.test?.epoch, ended.state.test?.stage], ['Exporting', 0, 0]);
    });
  }

  it('leaves the last weights of the stage before, where the job exports the last ones', () => {
    const ended = play([head, all], [...good, ...bad], { weights: 'last' });
    assert.equal(ended.work('evaluate').restoreDigest, stateOf(1));
    ended.answer([7]);
    assert.equal(ended.state.test?.epoch, 1);
  });

  it('gives way to the next stage, which begins as if it had not been there, but for the counters', () => {
    for (const { next, restored } of [
      { next: { ...all, onEnter: 'restoreBest' as const }, restored: stateOf(0) },
      { next: all, restored: stateOf(0) },
      { next: { ...all, optimizerState: 'keep' as const }, restored: stateOf(0) },
    ]) {
      const trained = play([head, block, next], [...good, ...bad, ...good]).effects.length;
      assert.ok(trained > 0);
      const halfway = new Play(aRuledPlan([head, block, next])).gather(2).answer([9]);
      const old = [9, 9, 8, 3];
      while (halfway.state.stages.length < 3) {
        const { work } = halfway.state.directive ?? {};
        halfway.answer(work?.kind === 'evaluate' && work.split === 'retention' ? old : [6, 5, 8, 9]);
      }
      assert.deepEqual(halfway.work('train').train, {
        stage: 2,
        epoch: 4,
        firstStep: 17,
        lastStep: 20,
        stageFirstStep: 17,
        restoreDigest: restored,
        resetOptimizer: next.optimizerState === 'reset',
        epochFirstStep: 17,
        soFar: null,
        snapshotMember: 0,
        restoring: [],
      });
    }
  });

  it('is told with its figures, and loses its states', () => {
    // Until training is over a snapshot may still come that names them.
    const ended = play([head, all], [...good, ...bad]).answer([7]);
    const [, undone] = ended.state.stages;
    assert.deepEqual(undone?.rolledBack, { drop: 0.9 - 0.3, maxDrop: 0.2, toEpoch: 1 });
    assert.match(undone?.ended ?? '', /fell by 60 points; retention.maxDrop allows 20$/);
    assert.deepEqual([undone?.best?.epoch, undone?.best?.stored], [2, null]);
    const told = ended.state.outbox.flatMap(({ entry }) => (entry.kind === 'stageEnded' ? [entry.rolledBack] : []));
    assert.deepEqual(told, [undefined, undone?.rolledBack]);
    const discarded = ended.effects.flatMap((effect) => (effect.kind === 'discard' ? [effect.digest] : []));
    assert.ok(discarded.includes(stateOf(2)), 'its best state is of no use');
    for (const epoch of [0, 1]) assert.ok(!discarded.includes(stateOf(epoch)), `the state of epoch ${epoch} is`);
  });

  it('goes back to the source where it is the first, whose state is stored before it', () => {
    const halfway = new Play(aRuledPlan([all, head])).gather(2).answer([9]);
    assert.equal(halfway.work('store').isBest, false);
    assert.equal(halfway.state.stages.length, 0);
    while (halfway.state.stages.length < 2) halfway.answer([3]);
    assert.equal(halfway.state.stages[0]?.rolledBack?.toEpoch, null);
    assert.equal(halfway.work('train').train.restoreDigest, sourceState);
  });

  it('fails the job when no stage is left, and names what was tried', () => {
    const ended = play([all, block], [[8, 3], [8, 3]]); // biome-ignore format: a table
    assert.equal(ended.state.failure?.code, 'NothingLeft');
    assert.match(
      ended.state.failure?.message ?? '',
      /every stage rolled back \("all", "block"\); expected one .* 0\.2/,
    );
  });

  it('stays as it is while it keeps the limit, and where the job stops instead', () => {
    const kept = play([head, block], [...good, ...good]);
    assert.ok(kept.state.stages.every(({ rolledBack }) => rolledBack === undefined));
    const plan = aRuledPlan([head, block]);
    const stops = new Play({ ...plan, retention: { classes: 2, maxDrop: 0.2, onExceed: 'stop' } }).gather(2);
    assert.equal(stops.answer([9]).kind(), 'train', 'nothing is stored before the first stage');
  });
});

describe('a stage that was rolled back before', () => {
  const first = play([head, block, all], [...good, ...bad, ...good]);

  for (const reused of [1, 2, 3]) {
    it(`is reused like any other: ${reused} of three`, () => {
      const again = play([head, block, all], [...good, ...bad, ...good], { kept: first.kept().slice(0, reused) });
      assert.equal(again.kinds().filter((kind) => kind === 'stageReused').length, reused);
      const [one, other] = [first, again].map(({ state }) =>
        state.stages.map(({ key, rolledBack, epochsDone, steps }) => ({ key, rolledBack, epochsDone, steps })),
      );
      assert.deepEqual(other, one);
      assert.deepEqual(again.state.cursor.step, first.state.cursor.step);
      const [tested, testedAgain] = [first, again].map((of) => of.work('evaluate'));
      assert.deepEqual([testedAgain?.stage, testedAgain?.epoch], [tested?.stage, tested?.epoch]);
    });
  }

  it('needs the best state of the stage that stands, beside the one that is in force', () => {
    const { held, record } = play([head, all], [...good, ...bad]).kept()[1] as StageResult;
    assert.deepEqual([held.digest, record.best?.stored], [stateOf(1), null]);
    assert.deepEqual(statesAfter(play([head, all], [...good, ...bad]).kept()), [stateOf(1), stateOf(0)]);
    assert.deepEqual(statesAfter(play([head], good).kept()), [stateOf(1), stateOf(0)]);
  });

  it('says so in the events of the second run', () => {
    const again = play([head, block, all], [...good, ...bad, ...good], { kept: first.kept() });
    const told = again.state.outbox.flatMap(({ entry }) => (entry.kind === 'stageReused' ? [entry.rolledBack] : []));
    assert.deepEqual(told.map((one) => one?.toEpoch), [undefined, 0, undefined]); // biome-ignore format: short
  });
});
