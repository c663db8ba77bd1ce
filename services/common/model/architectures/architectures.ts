// The networks that `builtin:NAME` names, with what their users have to know: how they want their pixels and for which
// size of picture their published weights were made.

import { type Values as PixelValues, preprocessingPresets } from '../../job/preprocessing.ts';
import type { Graph, Tensor, Weights } from '../graph.ts';
import type { StoredLayer } from '../stored-layer.ts';
import { arePublished, efficientnetB0 } from './efficientnet-b0.ts';
import { inceptionV3 } from './inception-v3.ts';
import { mobilenetV2 } from './mobilenet-v2.ts';
import type { BuildOptions } from './network.ts';
import { resnet50, torchResnet50 } from './resnet50.ts';
import { torchResnet50Layers } from './torch-layers.ts';
import { vgg16, vgg19 } from './vgg.ts';

export interface Architecture {
  /** The topology for pictures of that size: padding depends on whether a length is odd. Throws ModelInvalid. */
  readonly build: (options: BuildOptions & { readonly published?: boolean }) => Graph;
  readonly preprocessing: PixelValues;
  /** Height and width. */
  readonly size: number;
  /** Smallest height and width that Keras takes. */
  readonly sizeMin: number;
  /** Whether weights need the topology that `published` builds. */
  readonly arePublished?: (weights: Weights) => boolean;
  /** The same network as torchvision builds it, for weights that come from there. */
  readonly torch?: TorchVariant;
}

export interface TorchVariant extends Pick<Architecture, 'build' | 'preprocessing'> {
  /** Null for tensors of another network. `file` names the file. */
  readonly layers: (tensors: ReadonlyMap<string, Tensor>, file: string) => StoredLayer[] | null;
}

const { caffe, tf, torch } = preprocessingPresets;
/** Bytes as they are. */
const bytes: PixelValues = { channelOrder: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };

export const architectures = {
  vgg16: { build: vgg16, preprocessing: caffe, size: 224, sizeMin: 32 },
  vgg19: { build: vgg19, preprocessing: caffe, size: 224, sizeMin: 32 },
  resnet50: {
    build: resnet50,
    preprocessing: caffe,
    size: 224,
    sizeMin: 32,
    torch: { build: torchResnet50, preprocessing: torch, layers: torchResnet50Layers },
  },
  inceptionV3: { build: inceptionV3, preprocessing: tf, size: 299, sizeMin: 75 },
  mobilenetV2: { build: mobilenetV2, preprocessing: tf, size: 224, sizeMin: 32 },
  efficientnetB0: { build: efficientnetB0, preprocessing: bytes, size: 224, sizeMin: 32, arePublished },
} as const satisfies Readonly<Record<string, Architecture>>;

export const architectureNames = Object.keys(architectures);

/** Undefined for a name that is none. */
export function architectureOf(name: string): Architecture | undefined {
  const known: Readonly<Record<string, Architecture>> = architectures;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}
