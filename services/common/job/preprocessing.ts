// How pixels become numbers: from the job file, else from the model's source; never guessed.

import { ThawError } from '../errors/thaw-error.ts';
import type { ParsedJob } from './parse.ts';
import type { JobFacts } from './resolve.ts';
import type { Preprocessing } from './resolved-job.ts';
import type { JobSpec } from './schema/job.ts';

export type Values = Pick<Preprocessing, 'channelOrder' | 'scale' | 'mean' | 'std'>;
type Input = NonNullable<JobSpec['model']['input']>;

const none = [0, 0, 0] as const;
const unit = [1, 1, 1] as const;

/** As in keras.applications.imagenet_utils.preprocess_input. */
export const preprocessingPresets: Readonly<Record<'caffe' | 'torch' | 'tf' | 'unit', Values>> = {
  caffe: { channelOrder: 'bgr', scale: 1, mean: [103.939, 116.779, 123.68], std: unit },
  torch: { channelOrder: 'rgb', scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  tf: { channelOrder: 'rgb', scale: 1 / 127.5, mean: [1, 1, 1], std: unit },
  unit: { channelOrder: 'rgb', scale: 1 / 255, mean: none, std: unit },
};

export function resolvePreprocessing(parsed: ParsedJob, facts: JobFacts): Preprocessing {
  const { input, source } = parsed.job.spec.model;
  const values = (input && valuesOf(input)) ?? facts.preprocessing;
  if (!values) throw missing(parsed, source, facts);
  const { channelOrder, scale, mean, std } = values;
  return {
    height: input?.height ?? input?.size ?? facts.inputSize.height,
    width: input?.width ?? input?.size ?? facts.inputSize.width,
    resize: input?.resize ?? facts.preprocessing?.resize ?? 'squash',
    channelOrder,
    scale,
    mean,
    std,
  };
}

function valuesOf(input: Input): Values | null {
  if (input.preset) return preprocessingPresets[input.preset];
  if (!(input.range ?? input.mean ?? input.std ?? input.channels)) return null;
  const [low = 0, high = 255] = input.range ?? [];
  return {
    channelOrder: input.channels ?? 'rgb',
    scale: (high - low) / 255,
    mean: triple(input.mean ?? none, -low),
    std: triple(input.std ?? unit, 0),
  };
}

function triple(values: readonly number[], shift: number): readonly [number, number, number] {
  const [first = 0, second = 0, third = 0] = values;
  return [first + shift, second + shift, third + shift];
}

const likelyPresets: readonly (readonly [RegExp, string])[] = [
  [/vgg|resnet/i, 'caffe'],
  [/inception|xception|mobilenet/i, 'tf'],
  [/torch|timm/i, 'torch'],
];

function missing(parsed: ParsedJob, source: string, facts: JobFacts): ThawError {
  const hint = likelyInput(source, facts);
  return new ThawError(
    'JobInvalid',
    `${parsed.where(['spec', 'model', 'input'])}: found no preset, range, mean or std, and the model file does not carry them; ` +
      `expected how its pixels were prepared (preset: caffe, torch, tf or unit).${hint}`,
  );
}

/** The network's own layers say more than its names, and its own name more than its file's. */
export function likelyInput(source: string, { modelName, rescales }: Pick<JobFacts, 'modelName' | 'rescales'>): string {
  if (rescales) return ' The network rescales its pixels itself, so it is most likely {range: [0, 255]}.';
  for (const called of [modelName ?? '', source]) {
    const preset = likelyPresets.find(([name]) => name.test(called))?.[1];
    if (preset) return ` For "${called}" it is most likely {preset: ${preset}}.`;
  }
  return ' Look it up where the model comes from.';
}
