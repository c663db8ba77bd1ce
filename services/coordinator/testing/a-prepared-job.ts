// A prepared job small enough to read: four numbers in, two classes out, one frozen tensor.

import { digestOf } from '@thaw/common/content/digest.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import type { Graph, Layer, Tensor } from '@thaw/common/model/graph.ts';
import type { StagePlan } from '../core/job-plan.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { aPlan } from './builders.ts';

const layers: Layer[] = [
  layer('backbone/input', 'InputLayer', { config: { batch_input_shape: [null, 4] }, outputShape: [4] }),
  layer('backbone/scale', 'BatchNormalization', {
    inputs: ['backbone/input'],
    config: { axis: -1, center: false, scale: true, epsilon: 1e-3 },
    weights: [{ name: 'backbone/scale/gamma', shape: [4], role: 'gamma' }],
    outputShape: [4],
  }),
  layer('head/output', 'Dense', {
    inputs: ['backbone/scale'],
    config: { units: 2, activation: 'softmax', use_bias: true },
    weights: [
      { name: 'head/output/kernel', shape: [4, 2], role: 'kernel' },
      { name: 'head/output/bias', shape: [2], role: 'bias' },
    ],
    outputShape: [2],
  }),
];

const graph: Graph = { version: 1, layers, input: 'backbone/input', output: 'head/output' };

export function aPreparedJob({ stages }: { readonly stages: readonly StagePlan[] }): PreparedJob {
  const weights = new Map<string, Tensor>(
    layers.flatMap((one) => one.weights).map(({ name, shape }) => [name, { shape, data: filled(shape, 0.5) }]),
  );
  const columns = { ids: ['a'], paths: ['a'], labels: [0], byteLengths: [1] };
  const { artifacts: _, ...plan } = aPlan({ stages });
  return {
    job: aJob(stages),
    jobDigest: digestOf('job'),
    modelDigest: digestOf('model'),
    origin: 'Made up for tests.',
    graph,
    weights,
    manifest: {
      version: 1,
      classes: plan.classes,
      sets: { train: columns, validation: columns, test: columns },
      digest: digestOf('data'),
    },
    dataRoot: '/data',
    stages: [],
    plan: { ...plan, jobDigest: digestOf('job') },
  };
}

function aJob(stages: readonly StagePlan[]): ResolvedJob {
  return {
    apiVersion: 'thaw.dev/v1alpha1',
    name: 'digits',
    task: 'imageClassification',
    model: {
      source: 'file:model',
      preprocessing: {
        height: 2,
        width: 2,
        resize: 'squash',
        channelOrder: 'rgb',
        scale: 1 / 255,
        mean: [0, 0, 0],
        std: [1, 1, 1],
      },
      cut: 'scale',
      head: [],
    },
    data: {
      source: 'file:data',
      format: 'imageFolder',
      split: { kind: 'hash', train: 0.8, validation: 0.1, test: 0.1 },
      shards: 8,
      augment: [],
      views: 1,
      maxBadSamples: 0.01,
    },
    train: {
      seed: 7,
      microBatch: 4,
      loss: plainCrossEntropy,
      classWeights: null,
      mixup: null,
      cutmix: null,
      gradientClip: null,
      l2: 0,
      onNonFinite: 'fail',
    },
    stages: stages.map(({ name }) => ({
      name,
      select: ['head/**'],
      length: { kind: 'epochs', epochs: 2 },
      advanceOn: null,
      optimizer: { kind: 'sgd' },
      learningRate: 0.1,
      warmupSteps: 0,
      curve: 'constant',
      layerDecay: 1,
      batchNorm: 'frozen',
      optimizerState: 'reset',
      onEnter: 'continue',
      l2sp: 0,
      microBatch: 4,
      emaDecay: null,
    })),
    trainers: { replicas: 2, min: 1, max: 8, threads: 1, engine: 'cpu', gpus: 0 },
    output: {
      uri: 'file:out',
      formats: ['tfjs', 'safetensors'],
      weights: 'best',
      metric: 'accuracy',
      calibrate: 'none',
    },
    snapshot: { everySeconds: 60 },
  };
}

type Details = Partial<Pick<Layer, 'inputs' | 'config' | 'weights'>> & Pick<Layer, 'outputShape'>;

function layer(path: string, kind: string, { inputs = [], config = {}, weights = [], outputShape }: Details): Layer {
  return { path, kind, config, inputs, weights, outputShape };
}

function filled(shape: readonly number[], value: number): Float32Array {
  return new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value);
}
