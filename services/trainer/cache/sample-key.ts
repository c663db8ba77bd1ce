// Which picture a ref means, by content: two runs, two jobs and two trainers find each other's rows, and a file that
// changed finds none.

import { createHash } from 'node:crypto';
import { canonicalJson } from '@thaw/common/content/digest.ts';
import { columnsOf, type DataManifest } from '@thaw/common/data/manifest.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import { refKey, type SampleRef } from './level.ts';

export const sampleKeyBytes = 16;

/** 32 hex digits, or null for a sample whose content the manifest does not tell. */
export type SampleKeyOf = (ref: SampleRef) => string | null;

interface Sampled {
  readonly manifest: Pick<DataManifest, 'sets'>;
  readonly data: Pick<ResolvedJob['data'], 'augment'>;
  readonly seed: number;
}

/** Without augmentation a picture is the same in every set and for every seed. */
export function sampleKeys({ manifest, data: { augment }, seed }: Sampled): SampleKeyOf {
  const known = new Map<string, string>();
  return (ref) => {
    const { contents, ids } = columnsOf(manifest, ref.set);
    const content = contents?.[ref.index];
    if (content === undefined) return null;
    const isVaried = ref.set === 'train' && augment.length > 0;
    const name = isVaried ? refKey(ref) : content;
    const found = known.get(name);
    if (found !== undefined) return found;
    const variation = isVaried ? { augment, seed, view: ref.view, id: ids[ref.index] } : null;
    const key = createHash('sha256')
      .update(canonicalJson([content, variation]))
      .digest('hex')
      .slice(0, 2 * sampleKeyBytes);
    known.set(name, key);
    return key;
  };
}
