// Reads a tfjs layers-model from disk: model.json (or the folder that holds it, or a result of Thaw) and the shards that
// it names beside it. What Thaw wrote says how its pixels were prepared and where its head begins.

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { StoredWeight } from '@thaw/common/model/weights-manifest.ts';
import { readModelFile, readModelJson } from './model-file.ts';
import type { RawLayersModel } from './raw-layers-model.ts';
import { refuseByName } from './refused-files.ts';
import { type ThawMetadata, thawMetadata } from './thaw-metadata.ts';

/** Of all shards together: most that one array of bytes holds. */
const weightBytesMax = 2 ** 32 - 1;

interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly StoredWeight[];
}

export async function readLayersModelFile(location: string, baseDirectory: string): Promise<RawLayersModel> {
  refuseByName(location);
  const file = await modelJsonAt(path.resolve(baseDirectory, location), location);
  const { modelTopology, weightsManifest, ...said } = modelOf(await readModelJson(file), file);
  const names = pathsOf(weightsManifest);
  const shards = await readShards(path.dirname(file), names);
  return {
    topology: modelTopology,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    weightBytes: Buffer.concat(shards),
    weightsName: names.map((name) => path.join(path.dirname(file), name)).join(', '),
    origin: `${path.basename(path.dirname(file))}/${path.basename(file)}`,
    ...said,
  };
}

/** Of the shards, as a model.json names them. Throws ModelInvalid for what is no layers-model. */
export async function weightFileNames(file: string): Promise<readonly string[]> {
  return pathsOf(modelOf(await readModelJson(file), file).weightsManifest);
}

function pathsOf(groups: readonly ManifestGroup[]): string[] {
  return groups.flatMap(({ paths }) => paths);
}

interface ModelJson extends ThawMetadata {
  readonly modelTopology: unknown;
  readonly weightsManifest: readonly ManifestGroup[];
}

function modelOf(parsed: unknown, file: string): ModelJson {
  const { format, generatedBy, modelTopology, weightsManifest, userDefinedMetadata } = (parsed ?? {}) as Partial<
    ModelJson & Record<'format' | 'generatedBy' | 'userDefinedMetadata', unknown>
  >;
  if (format === 'graph-model') {
    throw new ThawError(
      'NotSupported',
      `${file}: found a tfjs graph-model, which cannot be trained; expected a layers-model`,
    );
  }
  const isGroup = (group: Partial<ManifestGroup> | null): boolean =>
    Array.isArray(group?.weights) &&
    Array.isArray(group.paths) &&
    group.paths.every((name) => typeof name === 'string');
  if (modelTopology && Array.isArray(weightsManifest) && weightsManifest.every(isGroup)) {
    const said = generatedBy === 'thaw' ? thawMetadata(userDefinedMetadata, `${file}: userDefinedMetadata`) : {};
    return { modelTopology, weightsManifest, ...said };
  }
  throw new ThawError(
    'ModelInvalid',
    `${file}: found no modelTopology and weightsManifest (groups of paths and weights); expected a tfjs layers-model`,
  );
}

async function modelJsonAt(resolved: string, asWritten: string): Promise<string> {
  const found = await stat(resolved).catch(() => null);
  if (!found) {
    throw new ThawError(
      'SourceNotFound',
      `spec.model.source: file:${asWritten} does not exist (looked at ${resolved})`,
    );
  }
  if (found.isDirectory()) return modelJsonIn(resolved);
  if (resolved.endsWith('.json')) return resolved;
  throw new ThawError(
    'NotSupported',
    `spec.model.source: "${asWritten}" is not supported yet; give a tfjs layers-model (model.json or its folder)`,
  );
}

/** In the folder itself, or where `thaw run` leaves it. */
async function modelJsonIn(folder: string): Promise<string> {
  const places = ['model.json', path.join('model', 'model.json')].map((place) => path.join(folder, place));
  for (const place of places) if (await stat(place).catch(() => null)) return place;
  throw new ThawError(
    'SourceNotFound',
    `${folder}: found neither model.json nor model/model.json; expected a tfjs layers-model or a result of \`thaw run\``,
  );
}

/** One after the other, so that what is too much is refused before it is held. */
async function readShards(directory: string, names: readonly string[]): Promise<readonly Uint8Array[]> {
  const shards: Uint8Array[] = [];
  let bytes = 0;
  for (const name of names) {
    const shard = await readShard(directory, name);
    bytes += shard.length;
    if (bytes > weightBytesMax) {
      throw new ThawError(
        'ModelInvalid',
        `the weight files in ${directory}: found over ${weightBytesMax} bytes; expected fewer`,
      );
    }
    shards.push(shard);
  }
  return shards;
}

/** A shard lies beside model.json; a name that leads elsewhere is refused. */
async function readShard(directory: string, name: string): Promise<Uint8Array> {
  const file = path.resolve(directory, name);
  if (!file.startsWith(directory + path.sep)) {
    throw new ThawError('ModelInvalid', `weight file "${name}" lies outside of the model's folder ${directory}`);
  }
  return readModelFile(file, `the model's weight file ${file}`);
}
