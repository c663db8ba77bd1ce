import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeRateAt } from '@thaw/common/schedule/range-test.ts';
import fc from 'fast-check';
import { displayWidth } from '../view/display-width.ts';
import { type FoundRate, foundRateJson, foundRateText } from './found-rate.ts';

const range = { from: 1e-7, to: 10, steps: 100 };

function found(smoothed: readonly number[], changes: Partial<FoundRate> = {}): FoundRate {
  return {
    name: 'tiny',
    stage: 'head',
    optimizer: 'adam',
    engine: 'cpu',
    batch: 32,
    learningRate: 0.02,
    range,
    points: smoothed.map((loss, step) => ({ learningRate: rangeRateAt(range, step), loss, smoothedLoss: loss })),
    ended: 'range',
    suggestion: null,
    ...changes,
  };
}

test('whatever the losses are, no line is wider than 80 columns and every point is inside the chart', () => {
  const losses = fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(losses, (smoothed) => {
      const lines = foundRateText(found(smoothed)).split('\n');
      for (const line of lines) assert.ok(displayWidth(line) <= 80, line);
      const cells = lines.filter((line) => /^.{7} \|/.test(line));
      assert.equal(cells.length, 12);
      const stars = cells.join('').replace(/[^*]/g, '').length;
      assert.ok(stars >= 1 && stars <= smoothed.length, `${stars} stars`);
    }),
  );
});

test('the chart falls from the left above to the right below, with the suggestion under its place', () => {
  const rate = rangeRateAt(range, 50);
  const text = foundRateText(
    found(
      Array.from({ length: 100 }, (_, step) => 5 - step / 25),
      { suggestion: rate },
    ),
  );
  const lines = text.split('\n');
  const cells = lines.filter((line) => /^.{7} \|/.test(line)).map((line) => line.slice(9));
  assert.ok(cells[0]?.startsWith('*'), cells[0]);
  assert.ok(cells.at(-1)?.endsWith('*') && cells.at(-1)?.length === 71, cells.at(-1));
  assert.equal(lines.find((line) => line.includes('+-'))?.indexOf('^'), 9 + 35);
  assert.match(text, /^ 5\.0000 \|\*/m);
  assert.match(text, /Suggestion: learningRate 0.0011, where the loss falls fastest; the job says 0.02\./);
});

test('says why it ended, and that there is nothing to suggest', () => {
  const ends = {
    diverged: /Stopped at 2\.\d+e-7: the smoothed/,
    notFinite: /Stopped after .*no number/,
    range: /All 100/,
  };
  for (const [ended, expected] of Object.entries(ends)) {
    const text = foundRateText(found([1, 1, 1, 1, 9], { ended: ended as FoundRate['ended'] }));
    assert.match(text, expected);
    assert.match(text, /No suggestion: the loss falls nowhere in this range; the job says 0\.02\./);
  }
});

test('JSON has every step, and the suggestion as it would be written', () => {
  const json = JSON.parse(foundRateJson(found([2, 1], { suggestion: 0.0031622 }))) as FoundRate;
  assert.equal(json.suggestion, 0.0032);
  assert.deepEqual(json.points[0], { learningRate: 1e-7, loss: 2, smoothedLoss: 2 });
});
