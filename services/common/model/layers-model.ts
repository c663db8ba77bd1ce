// Reads the topology of a tfjs layers-model (Keras functional or Sequential, as in model.json) into a Graph. Nested
// models are inlined: their layers are `backbone/outer/inner`. Knows nothing of weights' values.

import { ThawError } from '../errors/thaw-error.ts';
import { type Graph, graphVersion, type Layer } from './graph.ts';
import { addLayer } from './infer.ts';

export interface ReadOptions {
  /** First part of every layer path. */
  readonly prefix: string;
  /** Height and width where the model's input leaves them open. */
  readonly inputSize?: { readonly height: number; readonly width: number } | undefined;
}

interface KerasLayer {
  readonly class_name: string;
  readonly name?: string;
  readonly config: Record<string, unknown>;
  readonly inbound_nodes?: unknown;
  /** Keras 3: how somebody's own class is registered; null, or the class again, for Keras' own. */
  readonly registered_name?: unknown;
}

/** Known networks have about a thousand. */
const layersMax = 10_000;

const nestedKinds = new Set(['Model', 'Functional', 'Sequential']);

/** `topology`: model.json's modelTopology. Throws ModelInvalid. */
export function readLayersModel(topology: unknown, options: ReadOptions): Graph {
  const root = (topology as { model_config?: unknown } | null)?.model_config ?? topology;
  const model = asModel(root, 'the model');
  const layers = new Map<string, Layer>();
  const output = inline(model, { path: options.prefix, layers, inputs: [], inputSize: options.inputSize });
  const [input, ...others] = [...layers.values()].filter(({ kind }) => kind === 'InputLayer');
  if (!input) throw invalid('the model has no InputLayer; give the first layer a batch_input_shape');
  if (others.length > 0) {
    const paths = [input, ...others].map(({ path }) => path).join(', ');
    throw invalid(`the model has ${others.length + 1} inputs (${paths}); expected 1`);
  }
  return { version: graphVersion, layers: [...layers.values()], input: input.path, output };
}

interface Scope {
  readonly path: string;
  readonly layers: Map<string, Layer>;
  /** Paths that feed a nested model; empty for the outermost. */
  readonly inputs: readonly string[];
  readonly inputSize?: ReadOptions['inputSize'];
}

/** Adds the model's layers to the scope and returns the path of its output. */
function inline(model: KerasLayer, scope: Scope): string {
  return model.class_name === 'Sequential' ? inlineSequential(model, scope) : inlineFunctional(model, scope);
}

function inlineSequential(model: KerasLayer, scope: Scope): string {
  const listed = Array.isArray(model.config) ? model.config : model.config.layers;
  if (!Array.isArray(listed) || listed.length === 0) throw invalid(`${scope.path}: a Sequential without layers`);
  let last = scope.inputs[0];
  for (const raw of listed) {
    const layer = asModel(raw, scope.path);
    const name = nameOf(layer, scope.path);
    if (last === undefined && layer.class_name !== 'InputLayer' && !nestedKinds.has(layer.class_name)) {
      const config = { batch_input_shape: layer.config.batch_input_shape ?? layer.config.batch_shape };
      last = place({ class_name: 'InputLayer', config: { ...config, name: `${name}_input` } }, scope, []);
    }
    last =
      layer.class_name === 'InputLayer' && last !== undefined
        ? last
        : place(layer, scope, last === undefined ? [] : [last]);
  }
  return last as string;
}

function inlineFunctional(model: KerasLayer, scope: Scope): string {
  const listed = model.config.layers;
  if (!Array.isArray(listed)) throw invalid(`${scope.path}: found no list of layers`);
  const outputs = new Map<string, string>();
  const inputNames = namesOf(model.config.input_layers, scope.path);
  if (listed.length > layersMax) throw tooMany(scope.path, listed.length);
  const waiting = listed.map((raw) => {
    const layer = asModel(raw, scope.path);
    return { layer, inbound: inboundOf(layer, scope.path) };
  });
  while (waiting.length > 0) {
    const index = waiting.findIndex(({ inbound }) => inbound.every((name) => outputs.has(name)));
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (!next) throw invalid(`${scope.path}: layers feed each other in a circle, or an input is missing`);
    const { layer, inbound } = next;
    const name = nameOf(layer, scope.path);
    const fed = scope.inputs[inputNames.indexOf(name)];
    if (layer.class_name === 'InputLayer' && fed !== undefined) outputs.set(name, fed);
    else {
      const inputs = inbound.map((from) => outputs.get(from) as string);
      outputs.set(name, place(layer, scope, inputs));
    }
  }
  const [output, ...more] = namesOf(model.config.output_layers, scope.path);
  if (output === undefined) throw invalid(`${scope.path}: found no output_layers; expected 1`);
  if (more.length > 0) throw invalid(`${scope.path}: found ${more.length + 1} outputs; expected 1`);
  const found = outputs.get(output);
  if (found === undefined) throw invalid(`${scope.path}: its output "${output}" is no layer`);
  return found;
}

/** Adds one layer, or the layers of a nested model, and returns the path of the output. */
function place(layer: KerasLayer, scope: Scope, inputs: readonly string[]): string {
  const path = `${scope.path}/${nameOf(layer, scope.path)}`;
  if (nestedKinds.has(layer.class_name)) return inline(layer, { ...scope, path, inputs });
  const config = layer.class_name === 'InputLayer' ? withSize(layer.config, scope.inputSize) : layer.config;
  if (scope.layers.size >= layersMax) throw tooMany(path, scope.layers.size + 1);
  if (scope.layers.has(path)) throw invalid(`${path}: two layers have this name`);
  addLayer(scope.layers, { path, kind: classOf(layer), config, inputs });
  return path;
}

/** Somebody's own class may be called like one of Keras'. */
function classOf({ class_name: name, registered_name: registered }: KerasLayer): string {
  return typeof registered === 'string' ? registered : name;
}

function withSize(config: Record<string, unknown>, size: ReadOptions['inputSize']): Record<string, unknown> {
  const shape = config.batch_input_shape ?? config.batch_shape;
  if (!size || !Array.isArray(shape) || shape.length !== 4) return config;
  return { ...config, batch_input_shape: [null, shape[1] ?? size.height, shape[2] ?? size.width, shape[3]] };
}

/** Names of the layers whose outputs a layer takes, in order. A layer called twice is refused. */
function inboundOf(layer: KerasLayer, where: string): string[] {
  const path = `${where}/${nameOf(layer, where)}`;
  const nodes = layer.inbound_nodes ?? [];
  if (!Array.isArray(nodes)) throw invalid(`${path}: malformed inbound_nodes`);
  if (nodes.length > 1) throw invalid(`${path}: the layer is called ${nodes.length} times; expected once`);
  const [node = []] = nodes as unknown[];
  if (Array.isArray(node)) {
    requireInference(node.flat().find(isOptions), path);
    return namesOf(node, path);
  }
  const { args, kwargs } = (node ?? {}) as { args?: unknown; kwargs?: unknown };
  requireInference(kwargs, path);
  return keras3Names(args, path);
}

const isOptions = (part: unknown): boolean => typeof part === 'object' && part !== null && 'training' in part;

/** A layer that is called to train keeps dropping, or normalises by its batch, when the model predicts. */
function requireInference(options: unknown, path: string): void {
  if ((options as { training?: unknown } | null | undefined)?.training !== true) return;
  throw invalid(`${path}: found a call with training=True; expected one that follows the model`);
}

/** ["name", 0, 0] references, one or a list of them. */
function namesOf(references: unknown, path: string): string[] {
  if (!Array.isArray(references)) return [];
  if (typeof references[0] === 'string') return [references[0]];
  return references.map((reference: unknown) => {
    const name: unknown = Array.isArray(reference) ? reference[0] : undefined;
    if (typeof name === 'string') return name;
    throw invalid(`${path}: found the reference ${JSON.stringify(reference)}; expected ["layer", 0, 0]`);
  });
}

/** Keras 3: the arguments of a call, tensors among them as {config: {keras_history: ["name", 0, 0]}}, or lists of them. */
function keras3Names(args: unknown, path: string): string[] {
  if (!Array.isArray(args)) throw invalid(`${path}: malformed inbound_nodes`);
  return args.flatMap((argument: unknown) => {
    if (Array.isArray(argument)) return keras3Names(argument, path);
    const history = (argument as { config?: { keras_history?: unknown } } | null)?.config?.keras_history;
    if (Array.isArray(history)) return namesOf(history, path);
    throw invalid(`${path}: found the argument ${JSON.stringify(argument)}; expected tensors only`);
  });
}

function tooMany(path: string, found: number): ThawError {
  return invalid(`${path}: found ${found} layers; expected at most ${layersMax}`);
}

function nameOf(layer: KerasLayer, where: string): string {
  const name = layer.name ?? layer.config.name;
  if (typeof name === 'string' && name !== '') return name;
  throw invalid(`${where}: a ${layer.class_name} layer without a name`);
}

function asModel(raw: unknown, where: string): KerasLayer {
  const layer = raw as Partial<KerasLayer> | null;
  if (layer && typeof layer.class_name === 'string' && layer.config && typeof layer.config === 'object') {
    return layer as KerasLayer;
  }
  throw invalid(`${where}: found no class_name and config; expected a Keras model as in a tfjs layers-model`);
}

function invalid(message: string): ThawError {
  return new ThawError('ModelInvalid', message);
}
