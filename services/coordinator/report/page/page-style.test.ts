import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pageStyle } from './page-style.ts';

type Colour = readonly [number, number, number];

const rules = [...pageStyle.matchAll(/:root\{([^}]*)\}/g)].map(
  ([, text = '']) => new Map(text.split(/[;\n]+/).map((one) => one.trim().split(':') as [string, string])),
);

function hex(text: string | undefined): Colour {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(text ?? '')?.[1] ?? assert.fail(`no colour: ${text}`);
  const [r = '', g = '', b = ''] =
    digits.length === 3 ? [...digits].map((digit) => digit + digit) : (digits.match(/../g) ?? []);
  return [r, g, b].map((part) => Number.parseInt(part, 16)) as unknown as Colour;
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: Colour): number {
  const [r, g, b] = colour.map((part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Colour, b: Colour): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

for (const [scheme, colours] of [
  ['light', rules[0]],
  ['dark', rules[1]],
] as const) {
  const of = (name: string): Colour => hex(colours?.get(name));

  it(`has texts with a contrast of 4.5 and lines with one of 3 (${scheme})`, () => {
    for (const ground of ['--page', '--card', '--band-0', '--band-1']) {
      for (const text of ['--text', '--muted'])
        assert.ok(contrast(of(text), of(ground)) >= 4.5, `${text} on ${ground}: ${contrast(of(text), of(ground))}`);
      for (const line of ['--c1', '--c2', '--c3'])
        assert.ok(contrast(of(line), of(ground)) >= 3, `${line} on ${ground}`);
    }
    for (const text of ['--accent', '--good', '--bad'])
      for (const ground of ['--page', '--card'])
        assert.ok(contrast(of(text), of(ground)) >= 4.5, `${text} on ${ground}`);
    for (const fill of [1, 2, 3, 4, 5, 6]) assert.ok(contrast(of(`--c${fill}`), of('--page')) >= 3, `--c${fill}`);
  });

  it(`has numbers that can be read on every colour of the matrix (${scheme})`, () => {
    const cells = [...pageStyle.matchAll(/\.(hit|miss)-(\d)\{background:rgba\(var\(--\w+\),([\d.]+)\)(;color)?/g)];
    assert.equal(cells.length, 20);
    for (const [, kind, level, alpha, isStrong] of cells) {
      const full = (colours?.get(`--${kind}`) ?? '').split(',').map(Number);
      const ground = of('--page').map((part, i) => part + Number(alpha) * ((full[i] ?? 0) - part)) as unknown as Colour;
      const found = contrast(of(isStrong ? '--heat-text' : '--text'), ground);
      assert.ok(found >= 4.5, `${kind}-${level}: ${found.toFixed(2)}`);
    }
  });
}
