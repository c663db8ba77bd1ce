// Snapshots in the job's blob store: written, and found again after a stop. Of the restore points the newest whose files
// are all whole is taken; what is wrong with a newer one is said by name.

import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  type RestorePoint,
  type SeenSamples,
  type Snapshot,
} from '../core/snapshot.ts';
import type { SnapshotStore } from '../runtime/ports.ts';
import type { BlobStore } from './blob-store.ts';

export interface FoundSnapshot {
  readonly snapshot: Snapshot | null;
  readonly badSamples: SeenSamples;
  /** The one that is taken first, then older ones, which nobody has looked at. */
  readonly restorePoints: readonly RestorePoint[];
  /** Why newer ones are of no use. */
  readonly damaged: readonly string[];
}

export function snapshotStore(blobs: BlobStore): SnapshotStore {
  return {
    async keep(snapshot, badSamples) {
      await blobs.verify(snapshot.state.digest);
      return blobs.put(encodeSnapshot(snapshot, badSamples));
    },
  };
}

/**
 * `points`: newest first; without any there is nothing to go on from. Throws BlobCorrupt or BlobNotFound when none of them
 * is whole, and VersionUnknown.
 */
export async function findSnapshot(blobs: BlobStore, points: readonly RestorePoint[]): Promise<FoundSnapshot> {
  const damaged: string[] = [];
  for (const [i, point] of points.entries()) {
    try {
      for (const digest of point.states) await blobs.verify(digest);
      const text = new TextDecoder().decode(await blobs.read(point.digest));
      const { snapshot, badSamples } = decodeSnapshot(text, `the snapshot after step ${point.step}`);
      return { snapshot, badSamples, restorePoints: points.slice(i), damaged };
    } catch (thrown) {
      const { code, message } = toThawError(thrown);
      if (code !== 'BlobCorrupt' && code !== 'BlobNotFound') throw thrown;
      damaged.push(`the snapshot after step ${point.step} cannot be used: ${message}`);
    }
  }
  if (points.length === 0) return { snapshot: null, badSamples: [], restorePoints: [], damaged };
  throw new ThawError(
    'BlobCorrupt',
    `${damaged.join('; ')}. There is no other to go on from; --overwrite begins anew, after the stages that are kept in the cache`,
  );
}
