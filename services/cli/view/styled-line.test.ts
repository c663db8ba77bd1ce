import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { cutLine, fitLine, type Line, line, lineWidth, paint, type Style, span } from './styled-line.ts';

const anyStyle = fc.constantFrom<Style>('plain', 'bold', 'dim', 'good', 'warning', 'bad');
const anyLine = fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), anyStyle), { maxLength: 5 });
const textOf = (spans: Line): string => paint(spans, false);

it('cuts to the width, marks the cut, and keeps a start of the text', () => {
  fc.assert(
    fc.property(anyLine, fc.integer({ min: 1, max: 40 }), (parts, width) => {
      const whole = parts.map(([text, style]) => span(text, style));
      const cut = cutLine(whole, width);
      assert.ok(lineWidth(cut) <= width);
      if (lineWidth(whole) <= width) assert.deepEqual(cut, whole);
      else assert.ok(textOf(cut).endsWith('…') && textOf(whole).startsWith(textOf(cut).slice(0, -1)));
    }),
  );
});

it('cuts across spans', () => {
  const spans = [span('stage ', 'bold'), span('模型 epoch')];
  assert.equal(textOf(cutLine(spans, 9)), 'stage 模…');
  assert.equal(textOf(cutLine(spans, 6)), 'stage…');
});

it('takes the first variant that fits, and cuts the last', () => {
  const variants = [line('a long one'), line('shorter'), line('short')];
  assert.deepEqual(
    [10, 9, 6, 3].map((width) => textOf(fitLine(variants, width))),
    ['a long one', 'shorter', 'short', 'sh…'],
  );
});

it('paints styles only where colours are wanted, and closes each', () => {
  const spans = [span('ok', 'good'), span(' fine'), span('', 'bad')];
  assert.equal(paint(spans, true), '\x1b[32mok\x1b[0m fine');
  assert.equal(paint(spans, false), 'ok fine');
});
