// Files that lie in more than one set, byte for byte: what a model is tested on, it has then been trained on. The digests
// are there anyway, so this sees every sample, however many.

import { type SplitName, splitNames } from '@thaw/common/data/manifest.ts';

export interface FiledSample {
  readonly id: string;
  readonly set: SplitName;
  readonly sha256: string;
}

const copiesNamedMax = 3;

/** A sentence for the user, who may mean it so (a baseline, an overfit on purpose); null when every set is its own. */
export function copiesWarning(samples: readonly FiledSample[]): string | null {
  const firsts = new Map<string, FiledSample>();
  const inOrder = splitNames.flatMap((name) => samples.filter(({ set }) => set === name));
  const copies: (readonly [FiledSample, FiledSample])[] = [];
  for (const sample of inOrder) {
    const first = firsts.get(sample.sha256);
    if (first === undefined) firsts.set(sample.sha256, sample);
    else if (first.set !== sample.set) copies.push([sample, first]);
  }
  if (copies.length === 0) return null;
  const named = copies
    .slice(0, copiesNamedMax)
    .map(([one, other]) => `${one.set} ${one.id} is ${other.set} ${other.id}`);
  const more = copies.length > named.length ? `, and ${copies.length - named.length} more` : '';
  const what = copies.length === 1 ? '1 file is' : `${copies.length} files are`;
  return `${what} in another set too, byte for byte, which makes the figures of that set too good: ${named.join(', ')}${more}`;
}
