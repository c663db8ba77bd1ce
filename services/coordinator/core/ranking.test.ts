// In which order blocks thaw, and the measurement of it in a job's life: when it is asked for, what it is kept with, and
// what the stages after it are told.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rankedBlocksMax } from '@thaw/common/model/ranked.ts';
import fc from 'fast-check';
import { aPlan, aStage, incarnationOf, Play, someNorms } from '../testing/builders.ts';
import { directiveMessage } from './directive.ts';
import { rankBlocks } from './ranking.ts';
import { stageKey } from './stage-key.ts';

const facts = (digit: string): string => `sha256:${digit.repeat(64)}`;
const stages = [
  aStage({ facts: facts('a') }),
  aStage({ name: 'one', facts: facts('b'), onEnter: 'restoreBest', ranked: 1 }),
  aStage({ name: 'two', facts: facts('c'), onEnter: 'continue', ranked: 2 }),
];
const plan = aPlan({ stages });
const stateOf = (epoch: number): string => `sha256:${epoch.toString(16).padStart(64, 'e')}`;

describe('the order of the blocks', () => {
  for (const [what, norms, order] of [
    [
      'the largest gradient against the weights first',
      [
        ['a', 1, 4],
        ['b', 1, 2],
        ['c', 4, 4],
      ],
      'cba',
    ],
    [
      'of equal ones that nearer to the output, which is said first',
      [
        ['a', 1, 2],
        ['b', 3, 1],
        ['c', 2, 4],
      ],
      'bac',
    ],
    [
      'one without weights last',
      [
        ['a', 5, 0],
        ['b', 0.1, 9],
      ],
      'ba',
    ],
    [
      'one without a gradient after the others',
      [
        ['a', 0, 1],
        ['b', 0.1, 9],
      ],
      'ba',
    ],
  ] as const) {
    it(`has ${what}`, () => {
      const blocks = norms.map(([block, gradient, weights]) => ({ block, gradient, weights }));
      const ranked = rankBlocks({ count: 8, blocks });
      assert.equal(ranked.blocks.map(({ block }) => block).join(''), order);
      assert.equal(ranked.samples, 8);
    });
  }

  it('holds every block once, falling, and no factor on all gradients changes it', () => {
    const norm = fc.double({ min: 0, max: 1e3, noNaN: true });
    const norms = fc.array(fc.record({ gradient: norm, weights: norm }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(norms, (measured) => {
        const blocks = measured.map((one, i) => ({ block: `block ${i}`, ...one }));
        const ranked = rankBlocks({ count: 1, blocks }).blocks;
        assert.deepEqual(new Set(ranked.map(({ block }) => block)), new Set(blocks.map(({ block }) => block)));
        for (const [i, { ratio }] of ranked.entries()) assert.ok(i === 0 || ratio <= (ranked[i - 1]?.ratio ?? 0));
        const twice = blocks.map((one) => ({ ...one, gradient: one.gradient * 2 }));
        const order = (all: typeof ranked) => all.map(({ block }) => block);
        assert.deepEqual(order(rankBlocks({ count: 1, blocks: twice }).blocks), order(ranked));
      }),
    );
  });
});

const aBlock = (i: number) => ({
  block: `block_${i}_of_a_long_name_such_as_networks_have_them`,
  gradient: 1 / 3,
  weights: i + 1,
});

/** Up to the measurement: the best epoch of the first stage is its first. */
function measured(kept?: Play['kept']): Play {
  const play = new Play(plan, kept?.() ?? []).gather(2);
  while (play.kind() !== 'rank') play.answer([6, 5]);
  return play;
}

describe('a job that trains ranked blocks', () => {
  it('measures them once, after the stage before, with its best weights', () => {
    const play = measured();
    assert.deepEqual(play.work('rank'), { kind: 'rank', stage: 1, step: 8, restoreDigest: stateOf(0) });
    assert.deepEqual(directiveMessage(play.state)?.rankedBlocks, []);
    play.playOn([6, 5]);
    assert.equal(play.kinds().filter((kind) => kind === 'blocksRanked').length, 1);
    const told = play.state.outbox.find(({ entry }) => entry.kind === 'blocksRanked')?.entry;
    assert.deepEqual(told, {
      kind: 'blocksRanked',
      stage: 0,
      samples: 64,
      blocks: [
        { block: 'middle', gradient: 0.3, weights: 1, ratio: 0.3 },
        { block: 'first', gradient: 0.4, weights: 2, ratio: 0.2 },
        { block: 'last', gradient: 0.2, weights: 2, ratio: 0.1 },
      ],
    });
  });

  it('tells trainers the order with every directive from then on', () => {
    const play = measured().answer();
    assert.equal(play.kind(), 'train');
    for (; play.kind() !== 'finish'; play.answer([6, 5])) {
      assert.deepEqual(directiveMessage(play.state)?.rankedBlocks, ['middle', 'first', 'last']);
    }
  });

  for (const [onEnter, epoch] of [
    ['restoreBest', 0],
    ['continue', 1],
  ] as const) {
    it(`has members restore what the next stage begins with, onEnter ${onEnter}, since they hold what was measured`, () => {
      const [head, one] = stages as [(typeof stages)[0], (typeof stages)[0]];
      for (const script of [
        [6, 5],
        [5, 6],
      ]) {
        const play = new Play(aPlan({ stages: [head, { ...one, onEnter }] })).gather(2);
        while (play.kind() !== 'rank') play.answer(script);
        const best = script[0] === 6 ? 0 : 1;
        assert.equal(play.work('rank').restoreDigest, best === 1 ? '' : stateOf(0));
        play.answer();
        assert.equal(play.work('train').train.restoreDigest, stateOf(onEnter === 'restoreBest' ? best : epoch));
      }
    });
  }

  it('keeps stages under keys that hold the blocks they train', () => {
    const play = measured().playOn([6, 5]);
    const { state } = play;
    const [first] = state.stages;
    const ranking = first?.ranking;
    const swapped = { ...first, ranking: { samples: 64, blocks: [...(ranking?.blocks ?? [])].reverse() } };
    const other = { ...state, stages: [swapped, ...state.stages.slice(1)] } as typeof state;
    for (const [stage, isRanked] of [false, true, true].entries()) {
      const same = stageKey(other, stage, null) === stageKey(state, stage, null);
      assert.equal(same, !isRanked, `stage ${stage}`);
    }
  });

  it('stops where members measure different norms, and names one', () => {
    const play = measured();
    const [block, ...others] = someNorms().blocks;
    for (const [from, report] of play.reports()) {
      const blocks = [{ ...block, gradient: from === incarnationOf(1) ? 0.21 : 0.2 }, ...others];
      play.tell({ kind: 'report', from, report: { ...report, ranked: { count: 64, blocks } } as typeof report });
    }
    assert.equal(play.state.failure?.code, 'StateDiverged');
    assert.match(play.state.failure?.message ?? '', /^trainer-1 and trainer-0 measured other norms/);
  });

  for (const [ranked, said] of [
    [null, /answered ranked; expected ranked/],
    [{ count: 64, blocks: [] }, /measured 0 blocks on 64 samples; expected some/],
    [
      { count: 8, blocks: Array.from({ length: rankedBlocksMax + 1 }, (_, i) => aBlock(i)) },
      /measured 257 blocks; at most 256 are ranked/,
    ],
    [{ count: 0, blocks: someNorms().blocks }, /measured 3 blocks on 0 samples; expected some/],
    [
      { count: 1, blocks: [{ block: 'a', gradient: Number.NaN, weights: 1 }] },
      /norms of a that are no numbers: NaN and 1/,
    ],
    [{ count: 1, blocks: [{ block: 'a', gradient: 1, weights: -1 }] }, /norms of a that are no numbers: 1 and -1/],
  ] as const) {
    it(`stops where a member's answer ${String(said)}`, () => {
      const play = measured();
      for (const [from, report] of play.reports()) {
        play.tell({ kind: 'report', from, report: { ...report, ranked } as typeof report });
      }
      assert.equal(play.state.failure?.code, 'ProtocolViolation');
      assert.match(play.state.failure?.message ?? '', said);
    });
  }
});

describe('a job whose blocks were ranked before', () => {
  const fresh = measured().playOn([6, 5]);
  const kept = fresh.kept();
  const keysOf = ({ state }: Play): string[] => state.stages.map(({ key }) => key);

  it('reuses the first stage with its order, and the stages after it', () => {
    const again = new Play(plan, kept).gather(2);
    assert.equal(again.work('evaluate').split, 'test');
    assert.equal(again.kinds().filter((kind) => kind === 'stageReused').length, 3);
    assert.deepEqual(keysOf(again), keysOf(fresh));
    assert.deepEqual(again.state.stages[0]?.ranking, fresh.state.stages[0]?.ranking);
  });

  it('goes on after the first stage without measuring again', () => {
    const again = new Play(plan, kept.slice(0, 2)).gather(2);
    assert.equal(again.work('train').train.stage, 1);
    assert.deepEqual(directiveMessage(again.state)?.rankedBlocks, ['middle', 'first', 'last']);
    assert.deepEqual(keysOf(again.playOn([6, 5])), keysOf(fresh));
  });

  it('measures again where the stage was kept before its order was known, and keeps it with that', () => {
    const again = new Play(plan, kept.slice(0, 1)).gather(2);
    assert.equal(again.work('rank').restoreDigest, stateOf(0));
    again.answer();
    const [first] = again.kept();
    assert.deepEqual(first?.record.ranking, fresh.state.stages[0]?.ranking);
    assert.deepEqual([first?.record.reused, first?.job], [null, kept[0]?.job]);
    assert.deepEqual(keysOf(again.playOn([6, 5])), keysOf(fresh));
  });
});
