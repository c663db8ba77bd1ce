// The data sets that `example:` names, made in the cache folder the first time.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Fetching, MayFetch } from '../fetching.ts';
import { exampleDigits } from './example-digits.ts';
import { exampleEmoji } from './example-emoji.ts';
import { exampleSkinPatches } from './example-skin-patches.ts';

/** A folder of classes or a CSV. */
const examples: ReadonlyMap<string, (cacheDirectory: string, fetching?: Fetching) => Promise<string>> = new Map([
  ['mnist-digits', exampleDigits],
  ['emoji', exampleEmoji],
  ['skin-patches', exampleSkinPatches],
]);

interface ExamplePlace extends MayFetch {
  readonly cacheDirectory: string;
}

/** `field` names the job's field in errors. Throws SourceNotFound. */
export function exampleData(name: string, field: string, { cacheDirectory, fetching }: ExamplePlace): Promise<string> {
  const make = examples.get(name);
  if (make) return make(cacheDirectory, fetching);
  const known = [...examples.keys()].join(', ');
  throw new ThawError('SourceNotFound', `${field}: there is no example data set "${name}"; there is ${known}`);
}
