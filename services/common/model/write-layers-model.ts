// Writes a graph and its weights as a tfjs layers-model: one functional Keras model that stock tfjs loads. Layer paths
// become names with '_' for '/', because Keras refuses slashes in some places.

import { invariant } from '../errors/thaw-error.ts';
import type { Graph, Layer, Weights } from './graph.ts';

export interface LayersModelFiles {
  /** Content of model.json. */
  readonly modelJson: object;
  /** Content of the one shard that it names. */
  readonly weightData: Uint8Array;
}

export const weightsFileName = 'weights.bin';

export function writeLayersModel(graph: Graph, weights: Weights, metadata: object): LayersModelFiles {
  const specs: object[] = [];
  const parts: Uint8Array[] = [];
  for (const layer of graph.layers) {
    for (const { name, shape } of layer.weights) {
      const tensor = weights.get(name);
      invariant(tensor !== undefined, `no value for ${name}`);
      specs.push({ name: `${kerasName(layer.path)}/${stockWeight(layer, name)}`, shape, dtype: 'float32' });
      parts.push(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
    }
  }
  return {
    modelJson: {
      format: 'layers-model',
      generatedBy: 'thaw',
      convertedBy: null,
      modelTopology: { keras_version: '2.15.0', backend: 'tensorflow', model_config: modelConfig(graph) },
      weightsManifest: [{ paths: [weightsFileName], weights: specs }],
      userDefinedMetadata: metadata,
    },
    weightData: Buffer.concat(parts),
  };
}

function modelConfig(graph: Graph): object {
  return {
    class_name: 'Functional',
    config: {
      name: 'thaw',
      layers: graph.layers.map((layer) => ({
        ...stockLayer(graph, layer),
        name: kerasName(layer.path),
        inbound_nodes: layer.inputs.length > 0 ? [layer.inputs.map((input) => [kerasName(input), 0, 0, {}])] : [],
      })),
      input_layers: [[kerasName(graph.input), 0, 0]],
      output_layers: [[kerasName(graph.output), 0, 0]],
    },
  };
}

/**
 * Class and config as tfjs knows them: it has `swish` and not its other name, flattens no vector, and has no Normalization,
 * which is a BatchNormalization with nothing but statistics, or a Rescaling where the config holds them.
 */
function stockLayer(graph: Graph, { path, kind, config, inputs }: Layer): { class_name: string; config: object } {
  const name = kerasName(path);
  const input = graph.layers.find((layer) => layer.path === inputs[0]);
  if (kind === 'Flatten' && input?.outputShape.length === 1) {
    return { class_name: 'Activation', config: { name, activation: 'linear' } };
  }
  if (kind === 'Normalization') return stockNormalization(name, config);
  const activation = config.activation === 'silu' ? 'swish' : config.activation;
  return { class_name: kind, config: { ...config, ...(activation !== undefined && { activation }), name } };
}

function stockNormalization(name: string, { mean, variance }: Layer['config']): { class_name: string; config: object } {
  if ((mean ?? null) === null) {
    const statisticsOnly = { axis: -1, epsilon: 0, scale: false, center: false };
    return { class_name: 'BatchNormalization', config: { name, ...statisticsOnly } };
  }
  const scale = [variance].flat().map((value) => 1 / Math.max(Math.sqrt(Number(value)), 1e-7));
  const offset = [mean].flat().map((value, i) => -Number(value) * (scale[i] as number));
  return { class_name: 'Rescaling', config: { name, scale, offset } };
}

/** Last part of a weight's name. */
function stockWeight({ path, kind }: Layer, name: string): string {
  const own = name.slice(path.length + 1);
  return kind === 'Normalization' ? `moving_${own}` : own;
}

export function kerasName(path: string): string {
  return path.replace(/^backbone\//, '').replaceAll('/', '_');
}
