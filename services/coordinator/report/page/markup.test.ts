import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { escaped, markup, trusted } from './markup.ts';

const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** What a browser makes of it. */
function read(text: string): string {
  return text.replace(/&([a-z]+|#39);/g, (_, name: string) => names[name] ?? assert.fail(`&${name};`));
}

it('turns any text into one that stands for it and holds nothing of HTML', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'&<>"\'a;#39 lt\n=/'), maxLength: 40 }), (text) => {
      assert.doesNotMatch(escaped(text), /[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      assert.equal(read(escaped(text)), text);
    }),
  );
});

it('shows what no document may hold, and what turns the text around it, as a box', () => {
  const cases = ['\u0000', '\u0007', '\u009f', '\ud800', '\udc00', '\uffff', '\u202e', '\u2067'];
  for (const hostile of cases) assert.equal(escaped(`a${hostile}b`), 'a\ufffdb', JSON.stringify(hostile));
  const kept = 'a\tb\nc é 漢 \u{1f600} عربى';
  assert.equal(escaped(kept), kept);
});

it('escapes every insert but markup, in lists too', () => {
  const hostile = '<b>"&';
  const items = [hostile, markup`<li title="${hostile}">${1}</li>`, null, trusted('<hr>')];
  assert.equal(
    markup`<ul>${items}</ul>`.text,
    '<ul>&lt;b&gt;&quot;&amp;<li title="&lt;b&gt;&quot;&amp;">1</li><hr></ul>',
  );
});
