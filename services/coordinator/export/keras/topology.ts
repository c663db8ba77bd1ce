// A graph as the config of one functional Keras model: in the form of Keras 2, which Keras 3 reads too, for `.h5`, and in
// that of Keras 3 for `.keras`. Layers stand in Keras' own order, because both formats count on it.

import type { Graph, Layer } from '@thaw/common/model/graph.ts';
import { kerasOrder } from '@thaw/common/model/keras-order.ts';
import { kerasName } from '@thaw/common/model/write-layers-model.ts';
import { stockSettings, takesList } from './stock-layer.ts';

const modelName = 'thaw';

/** `model_config` of an `.h5` file. */
export function legacyTopology(graph: Graph): object {
  return functional(graph, (layer) => {
    const inputs = layer.inputs.map((input) => [kerasName(input), 0, 0, {}]);
    return { ...listed(layer, legacyConfig(layer)), inbound_nodes: inputs.length > 0 ? [inputs] : [] };
  });
}

/** `config.json` of a `.keras` archive. */
export function keras3Topology(graph: Graph): object {
  const shapes = new Map(graph.layers.map(({ path, outputShape }) => [path, outputShape]));
  const model = functional(graph, (layer) => {
    const tensors = layer.inputs.map((input) => tensor(input, shapes.get(input) ?? []));
    const call = { args: takesList(layer) ? [tensors] : tensors, kwargs: {} };
    return {
      module: 'keras.layers',
      ...listed(layer, keras3Config(layer)),
      registered_name: null,
      inbound_nodes: tensors.length > 0 ? [call] : [],
    };
  });
  return { module: 'keras.src.models.functional', ...model, registered_name: 'Functional' };
}

function functional(graph: Graph, layerOf: (layer: Layer) => object): object {
  return {
    class_name: 'Functional',
    config: {
      name: modelName,
      trainable: true,
      layers: kerasOrder(graph).map(layerOf),
      input_layers: [[kerasName(graph.input), 0, 0]],
      output_layers: [[kerasName(graph.output), 0, 0]],
    },
  };
}

function listed({ path, kind }: Layer, config: object): object {
  const name = kerasName(path);
  return { class_name: kind, name, config: { name, dtype: 'float32', ...config } };
}

/** Keras 2 knows SiLU by its older name. */
function legacyConfig(layer: Layer): object {
  const settings = stockSettings(layer);
  if (layer.kind === 'InputLayer') return { batch_input_shape: [null, ...layer.outputShape], sparse: false };
  return settings.activation === 'silu' ? { ...settings, activation: 'swish' } : settings;
}

function keras3Config(layer: Layer): object {
  if (layer.kind === 'InputLayer') return { batch_shape: [null, ...layer.outputShape], sparse: false, ragged: false };
  const { alpha, ...settings } = stockSettings(layer);
  return alpha === undefined ? settings : { ...settings, negative_slope: alpha };
}

function tensor(path: string, shape: readonly number[]): object {
  const keras_history = [kerasName(path), 0, 0];
  return { class_name: '__keras_tensor__', config: { shape: [null, ...shape], dtype: 'float32', keras_history } };
}
