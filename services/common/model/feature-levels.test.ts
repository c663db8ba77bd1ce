import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyGraph } from '../../../test/support/fixtures/tiny-graph.ts';
import { boundariesToCome, isStoredBefore, pixelsServeAgain, stageCuts } from './feature-levels.ts';

const graph = tinyGraph();
const head = ['head/**'];
const lastOne = ['head/**', 'last(1)'];
const lastTwo = ['head/**', 'last(2)'];
const whole = ['**'];

interface Case {
  readonly what: string;
  readonly stages: readonly (readonly string[])[];
  /** By stage: the stages whose boundaries its pass stores. */
  readonly toCome: readonly (readonly number[])[];
  readonly pixels: readonly boolean[];
  /** By stage: whether its boundary is stored when it begins. */
  readonly stored: readonly boolean[];
}

const cases: readonly Case[] = [
  {
    what: 'a thaw from the top stores every boundary in the first pass',
    stages: [head, lastOne, lastTwo],
    toCome: [[1, 2], [2], []],
    pixels: [false, false, false],
    stored: [false, true, true],
  },
  {
    what: 'a stage that trains everything starts from pixels, always',
    stages: [head, lastOne, whole],
    toCome: [[1], [], []],
    pixels: [true, true, true],
    stored: [false, true, false],
  },
  {
    what: 'a stage that freezes again goes on from what the one before read',
    stages: [lastTwo, head],
    toCome: [[], []],
    pixels: [false, false],
    stored: [false, false],
  },
  {
    what: 'what a stage between trains cannot be stored before it',
    stages: [head, lastTwo, lastOne],
    toCome: [[1], [], []],
    pixels: [false, false, false],
    stored: [false, true, false],
  },
  {
    what: 'two stages with one boundary need nothing more',
    stages: [head, head],
    toCome: [[], []],
    pixels: [false, false],
    stored: [false, true],
  },
  {
    what: 'nothing that was read before a training of everything serves after it',
    stages: [head, whole, head],
    toCome: [[], [], []],
    pixels: [true, true, false],
    stored: [false, false, false],
  },
];

for (const { what, stages, toCome, pixels, stored } of cases) {
  test(what, () => {
    const cuts = stageCuts(
      graph,
      stages.map((select) => ({ select, batchNorm: 'frozen' })),
    );
    for (const index of stages.keys()) {
      const wanted = toCome[index]?.map((later) => cuts[later]?.partition.boundary);
      assert.deepEqual(
        boundariesToCome(cuts, index).map(({ boundary }) => boundary),
        wanted,
        `stage ${index}`,
      );
      assert.equal(isStoredBefore(cuts, index), stored[index], `stored before stage ${index}`);
      assert.equal(pixelsServeAgain(cuts, index), pixels[index], `pixels after stage ${index}`);
    }
  });
}

test('a stage that estimates statistics anew ends what was stored before it', () => {
  const stages = [head, lastOne, lastTwo].map((select, i) => ({ select, batchNorm: i === 1 ? 'adapt' : 'frozen' }));
  const cuts = stageCuts(graph, stages as unknown as Parameters<typeof stageCuts>[1]);
  assert.deepEqual(boundariesToCome(cuts, 0), []);
  assert.equal(boundariesToCome(cuts, 1).length, 1);
});
