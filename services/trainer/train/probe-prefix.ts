// The probe's look at frozen prefixes: a sample has the same features wherever it lies in a block and whatever lies beside
// it, at every boundary of the schedule. One pass over the pixels serves all boundaries on the way to the deepest, as a
// stage's own fill does it; what no pass can serve beside others, because it folds otherwise, runs its own program.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { isOnTheWay, prefixComputes, sameBoundary } from '@thaw/common/model/feature-levels.ts';
import type { Partition } from '@thaw/common/model/graph.ts';
import type { EngineModel, StageProgram } from '../engine/engine.ts';
import { sameBytes, unstable } from './same-bits.ts';

/** One block through the frozen layers, up to one boundary or several: [blockSize, boundaryFloats] of each. */
type Prefix = (pixels: Uint8Array) => readonly Float32Array[];

export interface PrefixFeaturesOptions {
  readonly model: EngineModel;
  /** Of every stage. */
  readonly partitions: readonly Partition[];
  readonly pixels: Uint8Array;
  readonly tick: () => void;
}

type PrefixOf = Pick<StageProgram, 'partition' | 'features'>;

/** Features of the block at a program's boundary, each boundary computed for the first that asks, or before. */
export function prefixFeatures({ model, partitions, pixels, tick }: PrefixFeaturesOptions) {
  const known = new Map<string, Float32Array>();
  const keyOf = ({ boundary }: Partition): string => boundary.join();
  const ticked = (prefix: Prefix): Prefix => {
    return (block) => {
      const features = prefix(block);
      tick();
      return features;
    };
  };
  for (const targets of sharedPasses(model, partitions)) {
    const program = model.prefixProgram({ from: null, targets, blockSize });
    try {
      const prefix = ticked((block) => program.run(block, [...targets.keys()]));
      for (const [i, features] of stableFeatures(prefix, pixels).entries()) {
        known.set(keyOf(targets[i] as Partition), features);
      }
    } finally {
      program.dispose();
    }
  }
  return (program: PrefixOf): Float32Array => {
    const key = keyOf(program.partition);
    const held = known.get(key);
    if (held) return held;
    const [features] = stableFeatures(
      ticked((block) => [program.features(block)]),
      pixels,
    );
    known.set(key, features as Float32Array);
    return features as Float32Array;
  };
}

/** Groups of boundaries that one pass gives, the deepest first. A boundary that shares with none is in no group. */
function sharedPasses(model: EngineModel, partitions: readonly Partition[]): Partition[][] {
  const groups: Partition[][] = [];
  const deepestFirst = partitions.filter(prefixComputes).sort((a, b) => b.prefix.length - a.prefix.length);
  for (const one of deepestFirst) {
    if (groups.flat().some((other) => sameBoundary(one, other))) continue;
    const leadsToIt = (targets: readonly Partition[]): boolean =>
      isOnTheWay(one, targets[0] as Partition) && model.canPass({ from: null, targets: [...targets, one] });
    const group = groups.find(leadsToIt);
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups.filter(({ length }) => length > 1);
}

/** Where the first rows of the block lie in another one; its other rows are black. */
interface Arrangement {
  readonly dependsOn: string;
  readonly rows: number;
  readonly placeOf: (row: number) => number;
}

/** Other arrangements of the block, in which a sample must have the same features. */
const arrangements: readonly Arrangement[] = [
  { dependsOn: 'its place in the block', rows: blockSize, placeOf: (row) => blockSize - 1 - row },
  { dependsOn: 'its neighbours', rows: blockSize / 2, placeOf: (row) => row },
];

/** A pass costs most of the probe, so that the same block runs again only to tell which defect it is. */
function stableFeatures(prefix: Prefix, pixels: Uint8Array): readonly Float32Array[] {
  const features = prefix(pixels);
  const defect = arrangements.find((arrangement) => !isStable(prefix, { pixels, features }, arrangement));
  if (!defect) return features;
  const again = [prefix(pixels), prefix(pixels)];
  const repeats = again.every((found) => features.every((first, i) => sameBytes(first, found[i] as Float32Array)));
  if (!repeats) throw unstable('a prefix block differs between two runs');
  throw unstable(`a sample's features depend on ${defect.dependsOn}`);
}

function isStable(
  prefix: Prefix,
  { pixels, features }: { readonly pixels: Uint8Array; readonly features: readonly Float32Array[] },
  { rows, placeOf }: Arrangement,
): boolean {
  const imageBytes = pixels.length / blockSize;
  const arranged = new Uint8Array(pixels.length);
  for (let row = 0; row < rows; row++) {
    arranged.set(pixels.subarray(row * imageBytes, (row + 1) * imageBytes), placeOf(row) * imageBytes);
  }
  const found = prefix(arranged);
  return features.every((ofBoundary, i) => {
    const others = found[i] as Float32Array;
    const floats = ofBoundary.length / blockSize;
    const rowOf = (all: Float32Array, row: number) => all.subarray(row * floats, (row + 1) * floats);
    return Array.from({ length: rows }, (_, row) => row).every((row) =>
      sameBytes(rowOf(ofBoundary, row), rowOf(others, placeOf(row))),
    );
  });
}
