// Weights as PyTorch names and lays them out (`layer1.0.conv1.weight`, [out, in, height, width]), given to the layers of a
// builtin. Only layouts that were compared with their origin are known.

import { channelsLast } from '../channels-last.ts';
import type { Tensor } from '../graph.ts';
import type { StoredLayer } from '../stored-layer.ts';

/** Counts batches; nothing is computed from it. */
const counter = 'num_batches_tracked';
/** What training in parallel puts in front. */
const wrapper = /^module\./;

const normalizationNames: Readonly<Record<string, string>> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'moving_mean',
  running_var: 'moving_variance',
};

/** Whether names are PyTorch's: parts between dots, the last one a parameter's. */
export function areTorchNames(names: readonly string[]): boolean {
  return (
    names.length > 0 &&
    names.every((name) => /^[\w.]+\.(weight|bias|running_mean|running_var|num_batches_tracked)$/.test(name))
  );
}

export function isTorchCounter(name: string): boolean {
  return name.endsWith(`.${counter}`);
}

/** The layers of torchvision's resnet50 by the builtin's names; null for tensors that are of another network. */
export function torchResnet50Layers(tensors: ReadonlyMap<string, Tensor>, file: string): StoredLayer[] | null {
  if (![...tensors.keys()].some((name) => name.replace(wrapper, '') === 'layer1.0.conv3.weight')) return null;
  const layers = new Map<string, StoredLayer['arrays'][number][]>();
  for (const [stored, tensor] of tensors) {
    const name = stored.replace(wrapper, '');
    const module = name.slice(0, name.lastIndexOf('.'));
    const own = name.slice(name.lastIndexOf('.') + 1);
    if (own === counter || module === 'fc') continue;
    const layer = resnet50Name(module);
    const isConvolution = tensor.shape.length === 4;
    const array = isConvolution
      ? { name: own === 'weight' ? 'kernel' : own, tensor: channelsLast(tensor) }
      : { name: normalizationNames[own] ?? own, tensor };
    layers.set(layer, [...(layers.get(layer) ?? []), array]);
  }
  return [...layers].map(([name, arrays]) => ({ name, kind: null, counter: 0, place: `${file}: ${name}`, arrays }));
}

/** `layer1.0.conv2` is `conv2_block1_2_conv`; what torchvision does not have keeps its name, and is said to be surplus. */
function resnet50Name(module: string): string {
  const stem = /^(conv|bn)1$/.exec(module);
  if (stem) return `conv1_${stem[1]}`;
  const [, stage, block, kind, step] =
    /^layer([1-4])\.(\d+)\.(?:(conv|bn)([123])|downsample\.[01])$/.exec(module) ?? [];
  if (stage === undefined || block === undefined) return module;
  const place = `conv${Number(stage) + 1}_block${Number(block) + 1}`;
  if (kind !== undefined) return `${place}_${step}_${kind}`;
  return `${place}_0_${module.endsWith('.0') ? 'conv' : 'bn'}`;
}
