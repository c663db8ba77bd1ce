// A job with every default filled in and every name looked up: what coordinator and trainers work from. It is made
// once, by resolve.ts, stored, and never changed; nothing downstream reads the YAML or guesses a default again.

export type Task = 'imageClassification';
/** What computes: TensorFlow's library, its WebAssembly stand-in, or plain JavaScript for tests. */
export type EngineKind = 'tensorflow' | 'wasm' | 'cpu';

export interface ResolvedJob {
  readonly apiVersion: 'thaw.dev/v1alpha1';
  readonly name: string;
  readonly task: Task;
  readonly model: ResolvedModel;
  readonly data: ResolvedData;
  readonly train: ResolvedTrain;
  readonly stages: readonly ResolvedStage[];
  readonly trainers: ResolvedTrainers;
  readonly output: ResolvedOutput;
  readonly snapshot: ResolvedSnapshot;
  /** Absent in jobs that keep no eye on the old task. */
  readonly retention?: ResolvedRetention;
}

export interface ResolvedRetention {
  readonly source: string;
  /** Null: it is only watched. */
  readonly maxDrop: number | null;
  /** What becomes of a stage that has forgotten more: it ends with its best epoch from before, or it is undone. */
  readonly onExceed: 'stop' | 'rollback';
}

export interface ResolvedModel {
  readonly source: string;
  /** Of a builtin: where they are, or null for random ones. */
  readonly weights?: string | null;
  readonly preprocessing: Preprocessing;
  /** Layer whose output the head is put on, by its name in the source model. */
  readonly cut: string;
  /** Head layers as written, with the output layer added at the end. */
  readonly head: readonly HeadLayer[];
}

/** value = (byte[channel] * scale - mean[c]) / std[c], with c counted in `channelOrder`. Bytes are 0..255. */
export interface Preprocessing {
  readonly height: number;
  readonly width: number;
  readonly resize: 'squash' | 'crop' | 'pad';
  readonly channelOrder: 'rgb' | 'bgr';
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** What a model's source may say of its pixels; the size follows from its input. */
export type SourcePreprocessing = Pick<Preprocessing, 'channelOrder' | 'scale' | 'mean' | 'std'> &
  Partial<Pick<Preprocessing, 'resize'>>;

export type Activation = 'linear' | 'relu' | 'relu6' | 'sigmoid' | 'tanh' | 'softmax' | 'elu' | 'gelu' | 'silu';

export type HeadLayer =
  | { readonly kind: 'globalAveragePooling' }
  | { readonly kind: 'globalMaxPooling' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'dense'; readonly units: number; readonly activation: Activation; readonly useBias: boolean }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'batchNormalization'; readonly momentum: number; readonly epsilon: number }
  | { readonly kind: 'activation'; readonly activation: Activation };

export type DataFormat = 'imageFolder' | 'csv';

export interface ResolvedData {
  readonly source: string;
  readonly format: DataFormat;
  readonly split: ResolvedSplit;
  /** V: the number of shards. */
  readonly shards: number;
  readonly augment: readonly Augmentation[];
  /** Augmented versions of each training sample; epoch e uses view e mod views. */
  readonly views: number;
  /** Fraction of a set's samples that may be unreadable before the job fails. */
  readonly maxBadSamples: number;
}

/** By hash of sample (or group) id, stratified by class; or explicit sources. */
export type ResolvedSplit =
  | {
      readonly kind: 'hash';
      readonly train: number;
      readonly validation: number;
      readonly test: number;
      readonly group?: string;
    }
  | { readonly kind: 'explicit'; readonly train: string; readonly validation: string; readonly test: string };

export type Augmentation =
  | { readonly kind: 'flip'; readonly axis: 'horizontal' | 'vertical' }
  /** A random crop of `area` (fraction of the image, uniform) and `aspect` (width / height), resized to the input. */
  | { readonly kind: 'crop'; readonly area: readonly [number, number]; readonly aspect: readonly [number, number] }
  /** Uniform angle in ±degrees about the centre. */
  | { readonly kind: 'rotate'; readonly degrees: number }
  /** Bytes are multiplied by a uniform factor in 1 ± amount. */
  | { readonly kind: 'brightness'; readonly amount: number }
  /** Distance from the image's mean is multiplied by a uniform factor in 1 ± amount. */
  | { readonly kind: 'contrast'; readonly amount: number }
  /** That many operations of RandAugment, at a magnitude of 0..30. */
  | { readonly kind: 'randAugment'; readonly operations: number; readonly magnitude: number };

export interface ResolvedTrain {
  readonly seed: number;
  /** Samples that one shard gives to one step. */
  readonly microBatch: number;
  readonly loss: Loss;
  /** Factor on a sample's loss by its class; null = 1 for all. */
  readonly classWeights: readonly number[] | null;
  readonly mixup: Mixing | null;
  readonly cutmix: Mixing | null;
  readonly gradientClip: { readonly norm: number } | null;
  /** L2 on kernels, λ/2·‖w‖² added to the loss; 0 = off. */
  readonly l2: number;
  readonly onNonFinite: 'fail' | 'skipStep';
}

/** As Keras defines them; training and evaluation alike. */
export type Loss =
  | { readonly kind: 'crossEntropy'; readonly labelSmoothing: number }
  | { readonly kind: 'binaryCrossEntropy'; readonly labelSmoothing: number }
  | { readonly kind: 'focal'; readonly gamma: number; readonly alpha: number; readonly labelSmoothing: number }
  | { readonly kind: 'mse' }
  | { readonly kind: 'mae' }
  | { readonly kind: 'huber'; readonly delta: number };

export interface Mixing {
  /** Shares are drawn from Beta(alpha, alpha). */
  readonly alpha: number;
  readonly at: 'pixels' | 'boundary';
}

export type Optimizer =
  | { readonly kind: 'sgd' }
  | { readonly kind: 'momentum'; readonly momentum: number; readonly nesterov: boolean }
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  | {
      readonly kind: 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | { readonly kind: 'rmsprop'; readonly rho: number; readonly epsilon: number; readonly momentum: number };

export type Curve = 'constant' | 'cosine' | 'linear' | 'oneCycle' | 'slantedTriangular';

export interface ResolvedStage {
  readonly name: string;
  /** Globs and last(n) as written; select.ts finds the tensors they match. */
  readonly select: readonly string[];
  readonly length:
    | { readonly kind: 'epochs'; readonly epochs: number }
    | { readonly kind: 'steps'; readonly steps: number };
  readonly advanceOn: AdvanceRule | null;
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  /** Steps of linear warm-up from 0. */
  readonly warmupSteps: number;
  readonly curve: Curve;
  /** Factor on the learning rate for each block further from the output; 1 = off. */
  readonly layerDecay: number;
  /** What moving statistics do in this stage, see model/batch-statistics.ts. */
  readonly batchNorm: 'frozen' | 'adapt' | 'train';
  readonly optimizerState: 'keep' | 'reset';
  readonly onEnter: 'continue' | 'restoreBest';
  /** L2-SP: α/2·‖w−w₀‖² with w₀ the pretrained value; 0 = off. */
  readonly l2sp: number;
  readonly microBatch: number;
  /** Decay of the moving average of the weights; null = none. */
  readonly emaDecay: number | null;
}

/** auc: area under the ROC curve, one class against the rest, mean over the classes. */
export type Metric = 'loss' | 'accuracy' | 'macroF1' | 'auc';

/** Ends the stage once `metric` on the validation set has not improved by minDelta for `patience` epochs. */
export interface AdvanceRule {
  readonly metric: Metric;
  readonly mode: 'min' | 'max';
  readonly patience: number;
  readonly minDelta: number;
}

export interface ResolvedTrainers {
  readonly replicas: number;
  readonly min: number;
  readonly max: number;
  /** Threads of the engine in one trainer; part of what decides the bits. */
  readonly threads: number;
  readonly engine: EngineKind;
  /** GPUs a trainer needs; 0 = CPU. */
  readonly gpus: number;
  /** Bytes that the feature cache may take: in one trainer's memory, and on a host's disk. Absent: the trainer decides. */
  readonly cache?: { readonly memoryBytes?: number; readonly diskBytes?: number };
}

export interface ResolvedSnapshot {
  /** Between two snapshots within an epoch. */
  readonly everySeconds: number;
}

export interface ResolvedOutput {
  readonly uri: string;
  readonly formats: readonly ('tfjs' | 'safetensors' | 'h5' | 'keras')[];
  /** Which weights the result holds: the best epoch of the last stage by its metric, or the last ones. */
  readonly weights: 'best' | 'last';
  readonly metric: Metric;
  /** temperature: one number fitted on the validation set divides the logits of predictions. */
  readonly calibrate: 'none' | 'temperature';
}
