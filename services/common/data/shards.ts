// Deals the training set into V shards. A shard's content depends on the samples' ids, labels and V only: per class, in
// order of the ids' hashes, round robin, going on where the class before stopped. Sizes differ by at most one.

import { createHash } from 'node:crypto';
import type { DataManifest } from './manifest.ts';

/** shards[v] = rows of the training set. */
export function shardTrainSet(
  { classes, sets }: Pick<DataManifest, 'classes' | 'sets'>,
  shards: number,
): Uint32Array[] {
  const { ids, labels } = sets.train;
  const dealt = Array.from({ length: shards }, (_, shard) => new Uint32Array(shardSize(ids.length, shards, shard)));
  let next = 0;
  for (const rows of rowsByClass(labels, classes.length)) {
    for (const row of byHash(rows, ids)) {
      const shard = next % shards;
      (dealt[shard] as Uint32Array)[Math.floor(next / shards)] = row;
      next += 1;
    }
  }
  return dealt;
}

export function shardSize(samples: number, shards: number, shard: number): number {
  return Math.floor(samples / shards) + (shard < samples % shards ? 1 : 0);
}

function rowsByClass(labels: readonly number[], classes: number): number[][] {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (const [row, label] of labels.entries()) rows[label]?.push(row);
  return rows;
}

function byHash(rows: readonly number[], ids: readonly string[]): number[] {
  return rows
    .map((row) => ({
      row,
      hash: createHash('sha256')
        .update(ids[row] as string)
        .digest('hex'),
    }))
    .sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.row - b.row))
    .map(({ row }) => row);
}
