import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noStatistics, type StageStatistics, type StatisticsLayout } from '@thaw/common/model/batch-statistics.ts';
import { checkStatistics, type MeasuredStage } from './check-statistics.ts';

const some: StatisticsLayout = { entries: [], length: 20 };

function aStage(
  batchNorm: 'train' | 'adapt',
  { microBatch = 16, ...changes }: Partial<MeasuredStage> & { microBatch?: number } = {},
): MeasuredStage {
  const statistics: StageStatistics = {
    moved: batchNorm === 'train' ? some : noStatistics,
    adapted: batchNorm === 'adapt' ? some : noStatistics,
  };
  const stage = { name: 'all', batchNorm, microBatch };
  return { stage, statistics, tensors: 9, shards: 4, trainSamples: 400, views: 1, ...changes };
}

test('whole micro-batches are taken as they are', () => {
  assert.deepEqual(checkStatistics(aStage('train')), []);
  assert.deepEqual(checkStatistics(aStage('adapt')), []);
});

test('a stage that measures nothing is not looked at', () => {
  const statistics = { moved: noStatistics, adapted: noStatistics };
  assert.deepEqual(checkStatistics(aStage('train', { statistics, trainSamples: 4 })), []);
});

test('few samples at a time are warned of', () => {
  const [warning, ...others] = checkStatistics(aStage('train', { microBatch: 6 }));
  assert.match(warning ?? '', /^stage "all" normalises by as few as 5 samples at a time/); // 100 in 17 steps
  assert.equal(others.length, 0);
});

for (const [what, stage, message] of [
  [
    'single samples',
    aStage('train', { microBatch: 2, trainSamples: 9 }),
    /where a shard gives single samples.*a larger microBatch/,
  ],
  [
    'a shard of one sample',
    aStage('adapt', { trainSamples: 5 }),
    /^batchNorm: found adapt where a shard gives single samples.*fewer shards$/,
  ],
  [
    'too many channels',
    aStage('train', { statistics: { moved: { entries: [], length: 66_000 }, adapted: noStatistics } }),
    /found train for 33000 channels, more than one announcement holds/,
  ],
] as const) {
  // biome-ignore format: a table
  test(`refused: ${what}`, () => {
    assert.throws(() => checkStatistics(stage), { code: 'JobInvalid', message, data: { field: 'batchNorm' } });
  });
}
