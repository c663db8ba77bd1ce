// How many terminal cells a text takes, and how to make it take no more. Where terminals disagree (joined emoji), the
// larger answer is given: a line may come out short, but it never wraps. Text from outside goes through `plainText`
// first, so that a file name or a log line cannot move the cursor or change colours.

/** ECMA-48 control sequences and operating system commands, with their parameters. */
const escapeSequences = new RegExp(
  ['\\u001b\\[[0-?]*[ -/]*[@-~]', '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)?', '\\u001b[ -/]*[0-~]?'].join(
    '|',
  ),
  'gu',
);
const controls = /[\p{Cc}\p{Zl}\p{Zp}]/gu;
/** Format characters are invisible and may reverse the text after them; only the emoji joiner stays. */
const formats = /(?!\u200d)\p{Cf}/gu;

/** One line without anything that a terminal would obey. */
export function plainText(text: string): string {
  return text.replaceAll(escapeSequences, '').replaceAll(controls, ' ').replaceAll(formats, '');
}

const emojiSelector = 0xfe0f;
const zeroWidth = /^(?:[\p{Mn}\p{Me}]|\u200d)$/u;
const emoji = /^\p{Emoji_Presentation}$/u;
/** East Asian Wide and Fullwidth (Unicode annex 11), in whole blocks. */
const wideRanges = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2630, 0x2637],
  [0x268a, 0x268f],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0x4dff],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18df2],
  [0x1aff0, 0x1b2fb],
  [0x1d15e, 0x1d1c0],
  [0x1d300, 0x1d376],
  [0x1f200, 0x1f265],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
] as const;

/** Cells that a plain text takes. */
export function displayWidth(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

function cellsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  // It turns the character before it into an emoji, one cell wider.
  if (code === emojiSelector) return 1;
  const wide = emoji.test(character) || wideRanges.some(([first, last]) => code >= first && code <= last);
  if (wide) return 2;
  return zeroWidth.test(character) ? 0 : 1;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The longest start of a text within `width` cells; never half a grapheme. */
export function startWithin(text: string, width: number): string {
  let cells = 0;
  let start = '';
  for (const { segment } of graphemes.segment(text)) {
    cells += displayWidth(segment);
    if (cells > width) break;
    start += segment;
  }
  return start;
}

export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Breaks a text at spaces into lines of at most `width` cells; a longer word is broken inside. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (displayWidth(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = brokenWord(word, width);
    line = pieces.pop() ?? '';
    lines.push(...pieces);
  }
  return [...lines, line];
}

function brokenWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = word;
  while (displayWidth(rest) > width) {
    const piece = startWithin(rest, width);
    if (piece === '') break;
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  // One grapheme wider than the whole line has no place.
  return displayWidth(rest) > width ? [...pieces, '…'] : [...pieces, rest];
}
