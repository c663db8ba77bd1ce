import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { displayWidth, padToWidth, plainText, startWithin, wrapText } from './display-width.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 40 }).map(plainText);

// Node's own measure, which readline places the cursor by.
const line = createInterface({ input: new PassThrough(), output: new PassThrough() });
after(() => line.close());
function nodeWidth(text: string): number {
  line.setPrompt(text);
  return line.getCursorPos().cols;
}

for (const [text, width] of [
  ['loss 0.4312', 11],
  ['naïve', 5],
  ['e\u0301', 1],
  ['模型', 4],
  ['한국', 4],
  ['ｗｉｄｅ', 8],
  ['━─▁█…–', 6],
  ['🚀', 2],
  ['❤\ufe0f', 2],
] as const) {
  it(`gives ${JSON.stringify(text)} ${width} cells`, () => {
    assert.equal(displayWidth(text), width);
  });
}

it('is never below what Node measures', () => {
  fc.assert(
    fc.property(anyText, (text) => assert.ok(displayWidth(text) >= nodeWidth(text))),
    { numRuns: 2000 },
  );
});

it('agrees with Node on every character of the basic plane that is one', () => {
  const different: string[] = [];
  for (let code = 0x20; code < 0xfffe; code++) {
    const text = String.fromCharCode(code);
    const assigned = !/[\p{Cn}\p{Cs}\p{Co}]/u.test(text) && plainText(text) === text && text !== '\ufe0f';
    // Vowels and tails of Hangul syllables take no cell after a lead; alone, terminals differ.
    const conjoining = code >= 0x1160 && code <= 0x11ff;
    if (assigned && !conjoining && displayWidth(text) !== nodeWidth(text)) different.push(code.toString(16));
  }
  assert.deepEqual(different, []);
});

for (const [text, plain] of [
  ['a\tb\r\nc', 'a b  c'],
  ['\x1b[31mred\x1b[0m', 'red'],
  ['\x1b]0;title\x07x', 'x'],
  ['\x1b]8;;http://x\x1b\\link', 'link'],
  ['\x1b7up\x1b[2J\x1b[H', 'up'],
  ['abc\u202ecba', 'abccba'],
  ['bell\x07', 'bell '],
] as const) {
  it(`makes ${JSON.stringify(text)} plain`, () => {
    assert.equal(plainText(text), plain);
  });
}

it('leaves nothing that a terminal obeys, whatever comes in', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.doesNotMatch(plainText(text), /\p{Cc}/u)));
});

it('cuts between graphemes, as late as possible', () => {
  assert.equal(startWithin('模型模型', 5), '模型');
  assert.equal(startWithin('e\u0301e\u0301e\u0301', 2), 'e\u0301e\u0301');
  assert.equal(startWithin('🚀', 1), '');
  assert.equal(startWithin('abc', 9), 'abc');
});

it('pads by cells', () => {
  assert.equal(padToWidth('模', 4), '模  ');
  assert.equal(padToWidth('long', 2), 'long');
});

it('wraps at spaces, breaks only what is longer than a line, and loses nothing', () => {
  assert.deepEqual(wrapText('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapText('a sha256:123456', 8), ['a', 'sha256:1', '23456']);
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 30 }), (text, width) => {
      const lines = wrapText(text, width);
      for (const one of lines) assert.ok(displayWidth(one) <= width, `${one} is over ${width}`);
      const narrow = lines.every((one) => !one.includes('…')) || text.includes('…');
      if (narrow) assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
    }),
  );
});
