import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { displayWidth } from '../view/display-width.ts';
import { predictionJson, predictionTable, rank } from './prediction.ts';

const labels = ['cat', 'dog', 'emu'];

describe('ranking', () => {
  it('puts the most probable label first, and of equal ones the first class', () => {
    const { ranked } = rank('a.png', labels, Float32Array.of(0.25, 0.5, 0.25));
    assert.deepEqual(ranked, [
      { label: 'dog', probability: 0.5 },
      { label: 'cat', probability: 0.25 },
      { label: 'emu', probability: 0.25 },
    ]);
  });

  it('refuses a probability that is none, naming file and label', () => {
    const nan = Float32Array.of(0.5, Number.NaN, 0.5);
    assert.throws(() => rank('a.png', labels, nan), { code: 'NonFinite', message: /a\.png: .* "dog" is NaN/ });
  });
});

it('writes a JSON line with every probability, whatever the labels are called', () => {
  const odd = ['10', '2', '__proto__'];
  const line = predictionJson(rank('a\n"b".png', odd, Float32Array.of(0.25, 0.25, 0.5)), odd);
  assert.equal(line.indexOf('\n'), line.length - 1);
  const { file, label, probability, probabilities } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([file, label, probability], ['a\n"b".png', '__proto__', 0.5]);
  assert.deepEqual(Object.entries(probabilities as object).sort(), [['10', 0.25], ['2', 0.25], ['__proto__', 0.5]]); // biome-ignore format: one pair a label
});

describe('the table', () => {
  const aPrediction = (name: string) => rank(name, labels, Float32Array.of(0.9, 0.07, 0.03));

  it('aligns file, label, probability and the next ones', () => {
    const table = predictionTable([aPrediction('a.png'), aPrediction('long/b.png')], { top: 2, columns: 80 });
    assert.equal(
      table,
      [
        'file        label    prob.  next',
        'a.png       cat     90.0 %  dog      7.0 %',
        'long/b.png  cat     90.0 %  dog      7.0 %',
        '',
      ].join('\n'),
    );
  });

  it('shows no more labels than there are', () => {
    const [, row] = predictionTable([aPrediction('a.png')], { top: 10, columns: 80 }).split('\n');
    assert.match(row ?? '', /^a\.png +cat +90\.0 % +dog +7\.0 % +emu +3\.0 %$/);
  });

  it('fits 80 columns for any names and labels, every line alike', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 8 }),
        fc.array(text, { minLength: 3, maxLength: 3 }),
        (names, classes) => {
          const predictions = names.map((name) => rank(name, classes, Float32Array.of(0.7, 0.2, 0.1)));
          const lines = predictionTable(predictions, { top: 3, columns: 80 }).trimEnd().split('\n');
          assert.equal(lines.length, names.length + 1);
          const widths = lines.slice(1).map(displayWidth);
          assert.ok(Math.max(...widths) <= 80, `${Math.max(...widths)} columns`);
          assert.equal(new Set(widths).size, 1, `widths ${widths}`);
        },
      ),
    );
  });

  it('keeps the end of a long name, and every name whole where there is no limit', () => {
    const name = `${'folder/'.repeat(20)}picture.png`;
    assert.match(predictionTable([aPrediction(name)], { top: 3, columns: 80 }), /\n….*\/picture\.png {2}cat/);
    assert.ok(predictionTable([aPrediction(name)], { top: 3, columns: Number.POSITIVE_INFINITY }).includes(name));
  });

  it('lets no control character of a name through', () => {
    const table = predictionTable([aPrediction('a\u001b[31m\rb.png')], { top: 1, columns: 80 });
    assert.doesNotMatch(table.replaceAll('\n', ''), /\p{Cc}/u);
  });
});
