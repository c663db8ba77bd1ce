// Features of one program alone, kept in memory only: for a single pass over a set, such as an evaluation, that no later
// stage follows.

import type { ProgressBoard } from '../comms/progress-board.ts';
import type { StageProgram } from '../engine/engine.ts';
import { type FeatureCounts, noFeatureCounts } from './feature-counts.ts';
import { type FeatureSource, featureSource } from './feature-source.ts';
import { featureStore } from './feature-store.ts';
import type { Level } from './level.ts';
import { memoryRows } from './memory-rows.ts';
import type { LoadBlock } from './pixel-level.ts';
import type { StoreFit } from './store-fit.ts';

export interface ProgramSourceOptions {
  readonly program: Pick<StageProgram, 'partition' | 'features'>;
  readonly memoryBytes: number;
  readonly blockSize: number;
  readonly loadBlock: LoadBlock;
  readonly board: ProgressBoard;
  readonly checkpoint: () => Promise<void>;
  readonly counts?: FeatureCounts;
  readonly onFull?: (fit: StoreFit) => void;
}

export function programSource({ program, memoryBytes, counts, ...options }: ProgramSourceOptions): FeatureSource {
  const { boundary, boundaryFloats } = program.partition;
  const rowBytes = boundaryFloats * Float32Array.BYTES_PER_ELEMENT;
  const level: Level = { key: '', name: boundary.join(' + '), rowBytes };
  return featureSource({
    ...options,
    level,
    boundaryFloats,
    ways: [{ from: null, passes: [], run: (pixels) => [program.features(pixels)] }],
    pixelLevel: null,
    store: featureStore(memoryRows(memoryBytes)),
    counts: counts ?? noFeatureCounts(),
  });
}
