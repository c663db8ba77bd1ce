import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenOf, type Emoji } from './example-emoji.ts';

test('80 pictures are taken evenly from the order of a category, and from nothing else', () => {
  const emoji = (i: number, category: string, has_img_google = true): Emoji => {
    return { category, image: `${i}.png`, sort_order: i, has_img_google };
  };
  const food = Array.from({ length: 160 }, (_, i) => emoji(i, 'Food & Drink')).reverse();
  const others = [emoji(900, 'Flags'), emoji(1, 'Food & Drink', false)];
  const chosen = chosenOf([...others, ...food], 'Food & Drink').map(({ image }) => image);
  assert.deepEqual(
    chosen,
    Array.from({ length: 80 }, (_, i) => `${2 * i}.png`),
  );
});
