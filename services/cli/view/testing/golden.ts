// Compares a text with a committed golden file; UPDATE_GOLDEN=1 records it anew, to be read before it is committed.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `name`: of a file `golden/NAME.golden.txt` of the view. */
export function matchesGolden(name: string, text: string): void {
  const file = fileURLToPath(new URL(`../golden/${name}.golden.txt`, import.meta.url));
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'), `${file} differs; UPDATE_GOLDEN=1 records it anew`);
}
