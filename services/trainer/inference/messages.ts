// What a command and its inference process say to each other. One request at a time, answered in order; while one is
// carried out there may be notices. Structured clones: typed arrays and maps cross as they are.

import type { EngineKind, Loss, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import type { EngineClass } from '../engine/engine.ts';
import type { RangeResult, RangeSubject } from './range-test.ts';

export interface InferenceModel {
  readonly graph: Graph;
  readonly weights: Weights;
  readonly preprocessing: Preprocessing;
  readonly classes: number;
  readonly loss: Loss;
  /** Divides the logits of predictions; 1 leaves the probabilities as they are. An evaluation is without it. */
  readonly temperature: number;
  readonly engine: EngineKind;
}

/** What became of one file. */
export type Prediction =
  | { readonly kind: 'predicted'; readonly probabilities: Float32Array }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Parallel columns, one entry a sample. */
export interface LabelledSamples {
  readonly ids: readonly string[];
  /** Absolute. */
  readonly files: readonly string[];
  /** Index into the model's classes. */
  readonly labels: readonly number[];
}

export type ToInference =
  | { readonly kind: 'describe'; readonly engine: EngineKind }
  | { readonly kind: 'open'; readonly model: InferenceModel }
  /** At most one block of absolute paths. */
  | { readonly kind: 'predict'; readonly files: readonly string[] }
  | { readonly kind: 'evaluate'; readonly samples: LabelledSamples }
  | { readonly kind: 'testRange'; readonly subject: RangeSubject };

export type Reply =
  | { readonly kind: 'described'; readonly engineClass: EngineClass }
  | { readonly kind: 'opened'; readonly engineClass: EngineClass }
  | { readonly kind: 'predicted'; readonly predictions: readonly Prediction[] }
  | { readonly kind: 'evaluated'; readonly evaluated: Evaluated__Output }
  | { readonly kind: 'rangeTested'; readonly result: RangeResult };

export type Notice =
  | {
      readonly kind: 'progress';
      readonly phase: 'features' | 'evaluate' | 'step';
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: 'badSample'; readonly id: string; readonly reason: string };

export type FromInference =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'notice'; readonly notice: Notice }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
