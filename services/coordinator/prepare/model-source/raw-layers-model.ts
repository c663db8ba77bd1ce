// What every reader of a model source hands on: a topology, the list of its weights, and their bytes.

import type { SourcePreprocessing } from '@thaw/common/job/resolved-job.ts';
import type { StoredWeight } from '@thaw/common/model/weights-manifest.ts';

export interface RawLayersModel {
  readonly topology: unknown;
  readonly weightSpecs: readonly StoredWeight[];
  readonly weightBytes: Uint8Array;
  /** Names the weights' file in errors. */
  readonly weightsName: string;
  readonly origin: string;
  readonly preprocessing?: SourcePreprocessing;
  /** Name of the layer that its head was put on, where the source says so. */
  readonly cut?: string;
  /** Names of its classes, where the source says so. */
  readonly labels?: readonly string[];
}
