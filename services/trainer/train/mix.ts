// Mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019) inside one shard's micro-batch: which partner each
// sample gets, how much of it, and the mixing itself, on pixels or on boundary features. Drawn from (seed, step, shard)
// alone. Every sample is partner exactly once and a share is one for all, so no sample's weight is lost. Padded and bad
// samples neither mix nor are mixed in.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Mixing, ResolvedTrain } from '@thaw/common/job/resolved-job.ts';
import type { Grid } from '@thaw/common/model/grid.ts';
import { symmetricBeta } from '@thaw/common/random/beta.ts';
import { keyedStream, permutation } from '@thaw/common/random/stream.ts';

export interface MixPlace {
  readonly step: number;
  readonly shard: number;
}

export interface Mix {
  readonly at: Mixing['at'];
  /** Of every sample, what stays its own; a cut's share follows from its box once it is rounded to a grid. */
  readonly share: number;
  /** Centre of what is cut, in parts of height and width; null for mixup. */
  readonly cut: { readonly x: number; readonly y: number } | null;
}

type Rules = Pick<ResolvedTrain, 'seed' | 'mixup' | 'cutmix'>;

/** Null when the job mixes nothing. With mixup and cutmix both, each is drawn half of the time. */
export function mixOf({ seed, mixup, cutmix }: Rules, { step, shard }: MixPlace): Mix | null {
  if (!mixup && !cutmix) return null;
  const stream = keyedStream(seed, 'mixup', 'share', step, shard);
  const cuts = mixup && cutmix ? stream.uniform() < 0.5 : cutmix !== null;
  const { alpha, at } = (cuts ? cutmix : mixup) as Mixing;
  const share = symmetricBeta(stream, alpha);
  return { at, share, cut: cuts ? { x: stream.uniform(), y: stream.uniform() } : null };
}

/** For every row the row of its partner; a row that is not there has itself. */
export function partnersOf({ seed }: Rules, { step, shard }: MixPlace, present: readonly boolean[]): Int32Array {
  const rows = present.flatMap((isThere, row) => (isThere ? [row] : []));
  const order = permutation(keyedStream(seed, 'mixup', 'partner', step, shard), rows.length);
  const partners = Int32Array.from(present, (_, row) => row);
  for (const [i, row] of rows.entries()) partners[row] = rows[order[i] as number] as number;
  return partners;
}

export interface MixRows {
  readonly mix: Mix;
  readonly partners: Int32Array;
  /** Of the tensors in a row; only a cut needs them. */
  readonly grids: readonly Grid[];
}

/** Mixes rows of equal length in place and returns the share that stays each sample's own. Bytes are rounded. */
export function mixRows(rows: Float32Array | Uint8Array, length: number, { mix, partners, grids }: MixRows): number {
  const original = rows.slice();
  if (mix.cut) return pasteBoxes(rows, original, { length, mix, partners, grids });
  const share = Math.fround(mix.share);
  const rounded = rows instanceof Uint8Array ? Math.round : (value: number) => value;
  for (const [row, partner] of partners.entries()) {
    if (partner === row) continue;
    for (let i = 0; i < length; i++) {
      const [own, other] = [original[row * length + i] as number, original[partner * length + i] as number];
      rows[row * length + i] = rounded(share * own + (1 - share) * other);
    }
  }
  return share;
}

interface Paste extends MixRows {
  readonly length: number;
}

function pasteBoxes(
  rows: Float32Array | Uint8Array,
  original: Float32Array | Uint8Array,
  { length, mix, partners, grids }: Paste,
): number {
  const [first] = grids;
  invariant(first !== undefined, 'a cut needs tensors with height and width');
  for (const grid of grids) {
    const { left, right, top, bottom } = boxOf(mix, grid);
    for (const [row, partner] of partners.entries()) {
      if (partner === row) continue;
      for (let y = top; y < bottom; y++) {
        const from = grid.offset + (y * grid.width + left) * grid.channels;
        const line = original.subarray(
          partner * length + from,
          partner * length + from + (right - left) * grid.channels,
        );
        rows.set(line, row * length + from);
      }
    }
  }
  const { left, right, top, bottom } = boxOf(mix, first);
  return Math.fround(1 - ((right - left) * (bottom - top)) / (first.height * first.width));
}

/** A box of about 1 − share of the area about the centre, cut off at the borders, as in the paper. */
function boxOf({ share, cut }: Mix, { height, width }: Grid) {
  const side = Math.sqrt(1 - share);
  const span = (size: number, centre: number): readonly [number, number] => {
    const [middle, half] = [Math.floor(centre * size), Math.trunc(size * side) / 2];
    return [Math.max(0, Math.floor(middle - half)), Math.min(size, Math.floor(middle + half))];
  };
  const [left, right] = span(width, cut?.x ?? 0);
  const [top, bottom] = span(height, cut?.y ?? 0);
  return { left, right, top, bottom };
}
