import assert from 'node:assert/strict';
import { it } from 'node:test';
import { modelCard } from './model-card.ts';
import { someData, someTest } from './page/testing/some-page-data.ts';

it('counts the stages that are in the result, and marks the one that was undone', () => {
  const { job, report } = someData();
  assert.match(modelCard(job, report, 'made up'), /fine-tuned in 2 stages by Thaw/);
  const [head, block] = report.stages;
  assert.ok(head && block);
  const stages = [head, { ...block, rolledBack: { drop: 0.3, maxDrop: 0.1, toEpoch: 1 } }];
  const card = modelCard(job, { ...report, stages }, 'made up');
  assert.match(card, /fine-tuned in 1 stage by Thaw/);
  assert.match(card, /^\| block \(rolled back\) \|/m);
});

it('keeps the name of a class in its cell', () => {
  const { job, report } = someData({ test: someTest(['a|b', 'c\nd']) });
  const card = modelCard(job, report, 'made up');
  assert.equal(card.match(/^\| (a\\\|b|c d) \| 90\.0 %/gm)?.length, 2, card);
});
