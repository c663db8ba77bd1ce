// A network as data: what was read from a model file, cut and given a head, without a value in it. The coordinator
// reasons on it, the trainer executes it, the exporter writes it back. Layer paths are identities:
// `backbone/block_16_expand`, `head/dense`; a nested model's inner layers are `backbone/outer/inner`.

/** Version of the JSON form that is stored as an artifact. */
export const graphVersion = 1;

export interface Graph {
  readonly version: typeof graphVersion;
  /** In topological order; every layer's inputs come before it. Exactly one InputLayer and one output in v1. */
  readonly layers: readonly Layer[];
  readonly input: string;
  readonly output: string;
}

export interface Layer {
  readonly path: string;
  /** Keras class name: Conv2D, DepthwiseConv2D, BatchNormalization, Dense, … */
  readonly kind: string;
  /** Keras config, keys in snake_case as in the file. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Paths of the layers whose outputs are the inputs, in order. */
  readonly inputs: readonly string[];
  readonly weights: readonly WeightSpec[];
  /** Output shape of one sample, without the batch axis: [height, width, channels] or [features]. */
  readonly outputShape: readonly number[];
}

export interface WeightSpec {
  /** Layer path + '/' + weight name: `backbone/Conv1/kernel`. Unique in the graph. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: WeightRole;
}

/** Statistics are state of batch normalisation and never trainable; decay and L2 apply to kernels only. */
export type WeightRole = 'kernel' | 'bias' | 'gamma' | 'beta' | 'movingMean' | 'movingVariance';

/** float32 values by weight name; shapes as in the graph. */
export type Weights = ReadonlyMap<string, Tensor>;

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A run of weighted layers between two single-tensor cut points. Blocks are listed from input to output. */
export interface Block {
  readonly name: string;
  readonly layers: readonly string[];
}

/** Where a stage splits the network. */
export interface Partition {
  /** Layers computed once per sample and view, in inference mode. */
  readonly prefix: readonly string[];
  /** Layers under the tape. */
  readonly suffix: readonly string[];
  /** Layers whose outputs cross from prefix to suffix, in the graph's order. */
  readonly boundary: readonly string[];
  /** Floats that one sample's boundary takes. */
  readonly boundaryFloats: number;
}
