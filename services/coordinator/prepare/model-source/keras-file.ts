// Reads Keras files without Python: whole models (`.h5`, `.keras`) and weights alone (`.weights.h5`, and the older `.h5`
// that keras.applications publishes). What a file is, its first bytes and its content say, not its ending.

import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Digest } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { StoredLayer } from '@thaw/common/model/stored-layer.ts';
import { keras3Layers } from './keras-3-weights.ts';
import { openKerasArchive } from './keras-archive.ts';
import { type Bytes, type OpenFile, openBytes } from './keras-bytes.ts';
import { groupNames } from './keras-group-names.ts';
import { type Group, withHdf5 } from './keras-hdf5.ts';
import { legacyLayers } from './keras-legacy-weights.ts';
import { parseModelJson } from './model-file.ts';
import { type ThawMetadata, thawMetadata } from './thaw-metadata.ts';

export interface KerasWeights {
  /** Null in a file of weights alone. */
  readonly topology: unknown;
  /** Layers with weights: as `layer_names` lists them in older files; Keras 3 files have no order of their own. */
  readonly layers: readonly StoredLayer[];
  /** Of a result of Thaw. */
  readonly said: ThawMetadata;
  /** Of topology, names, shapes and values, whatever the format. */
  readonly digest: Digest;
  /** Names the file in errors. */
  readonly what: string;
}

export interface KerasModel extends KerasWeights {
  readonly topology: object;
}

const archiveStart = 'PK';

/** Whether a source names a Keras file by its ending. */
export function isKerasFile(source: string): boolean {
  return /^file:.*\.(h5|hdf5|keras)$/i.test(source);
}

/** A whole model. Throws SourceNotFound or ModelInvalid. */
export async function readKerasModel(location: string, baseDirectory: string): Promise<KerasModel> {
  const read = await readKerasWeights(path.resolve(baseDirectory, location), location);
  const { topology } = read;
  if (typeof topology === 'object' && topology !== null) return { ...read, topology };
  throw new ThawError(
    'ModelInvalid',
    `spec.model.source: ${read.what} holds weights without the network that they belong to; expected a whole model, as model.save() writes it`,
  );
}

/** Any Keras file; `asWritten` is how the user names it. Throws SourceNotFound or ModelInvalid. */
export async function readKerasWeights(file: string, asWritten = file): Promise<KerasWeights> {
  const bytes = openBytes(file, asWritten);
  try {
    const what = path.basename(file);
    const { topology, layers, said } = startsAs(bytes, archiveStart)
      ? await readArchive(bytes, what)
      : await withHdf5(bytes, what, (root) => readHdf5(root, what));
    return { topology, layers, said, digest: digestOf(topology, layers), what };
  } finally {
    bytes.close();
  }
}

type Content = Pick<KerasWeights, 'topology' | 'layers' | 'said'>;

async function readArchive(bytes: OpenFile, what: string): Promise<Content> {
  const { config, metadata, weights } = await openKerasArchive(bytes, what);
  const { keras_version: version, thaw } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  requireKnownFunctions(config, version, what);
  const names = groupNames(config);
  const layers = await withHdf5(weights, what, (root) => keras3Layers(root, names));
  if (layers) return { topology: config, layers, said: thawMetadata(thaw, `${what}: metadata.json: thaw`) };
  throw new ThawError(
    'ModelInvalid',
    `${what}: model.weights.h5: found no group "layers"; expected weights of Keras 3`,
  );
}

function readHdf5(root: Group, what: string): Content {
  const config = root.attribute('model_config');
  const topology = typeof config === 'string' ? parseModelJson(config, `${what}: model_config`) : null;
  requireKnownFunctions(topology, root.attribute('keras_version'), what);
  const thaw = root.attribute('thaw');
  const layers = legacyLayers(root, what) ?? keras3Layers(root, groupNames(topology));
  if (layers) {
    const stored = typeof thaw === 'string' ? parseModelJson(thaw, `${what}: thaw`) : null;
    return { topology, layers, said: thawMetadata(stored, `${what}: thaw`) };
  }
  throw new ThawError(
    'ModelInvalid',
    `${what}: found neither layer_names nor a group "layers"; expected a Keras model or its weights`,
  );
}

/** The one activation whose name stayed and whose function changed: Thaw computes that of Keras 2. */
function requireKnownFunctions(topology: unknown, version: unknown, what: string): void {
  if (!String(version).startsWith('3.') || !/"activation":"hard_sigmoid"/.test(JSON.stringify(topology))) return;
  throw new ThawError(
    'ModelInvalid',
    `${what}: found the activation hard_sigmoid of Keras ${version}, which is another function than that of Keras 2; ` +
      'expected a model without it',
  );
}

function startsAs(bytes: Bytes, start: string): boolean {
  const first = new Uint8Array(start.length);
  return bytes.read(first, 0) === start.length && Buffer.from(first).toString('latin1') === start;
}

function digestOf(topology: unknown, layers: readonly StoredLayer[]): Digest {
  const hash = createHash('sha256').update(JSON.stringify(topology));
  for (const { name, place, arrays } of layers) {
    for (const { name: array, tensor } of arrays) {
      const { data, shape } = tensor;
      hash.update(JSON.stringify([name ?? place, array, shape]));
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }
  return `sha256:${hash.digest('hex')}`;
}
