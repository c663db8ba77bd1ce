// The job's blob store, on a disk that outlives the coordinator: contents by digest, and the stored state.

import { type Digest, digestOf } from '@thaw/common/content/digest.ts';
import type { RestorePoint } from '@thaw/coordinator/core/snapshot.ts';
import type { JobState } from '@thaw/coordinator/core/state.ts';

export class Disk {
  readonly blobs = new Map<string, string>();
  /** As the job's key holds it. */
  state: JobState | null = null;

  readonly #puts = new Map<string, number>();

  put(content: string): Digest {
    const digest = digestOf(content);
    this.#puts.set(digest, (this.#puts.get(digest) ?? 0) + 1);
    this.blobs.set(digest, content);
    return digest;
  }

  /** What a restore point needs and the disk does not hold. */
  missingOf({ digest, states }: RestorePoint): readonly string[] {
    return [digest, ...states].filter((one) => !this.blobs.has(one));
  }

  /** As the real store's: what is stored again meanwhile stays. */
  remover(digest: string): () => void {
    const before = this.#puts.get(digest);
    return () => {
      if (this.#puts.get(digest) === before) this.blobs.delete(digest);
    };
  }

  keepOnly(wanted: ReadonlySet<string>): void {
    for (const digest of [...this.blobs.keys()]) if (!wanted.has(digest)) this.blobs.delete(digest);
  }
}
