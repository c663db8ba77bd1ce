// Writes a model as a `.keras` archive of Keras 3: metadata.json, config.json, and model.weights.h5, where the n-th layer
// of a class has the group `layers/conv2d_n`. Nothing in the archive is compressed, as Keras has it.

import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Graph, Layer, Weights } from '@thaw/common/model/graph.ts';
import { kerasOrder } from '@thaw/common/model/keras-order.ts';
import { snakeCase } from '@thaw/common/model/stored-layer.ts';
import { kerasName } from '@thaw/common/model/write-layers-model.ts';
import yazl from 'yazl';
import { temporarySuffix } from '../../adapters/write-file.ts';
import { type GroupWriter, writeHdf5File } from './hdf5-file.ts';
import { keras3Topology } from './topology.ts';
import { arraysOf, type KerasModelContent } from './write-h5.ts';

/** The version whose form this is. */
const kerasVersion = '3.15.1';

/** `file`: a name that is free to write to; the weights lie beside it for as long as this takes. */
export async function writeKerasArchive(
  file: string,
  { graph, weights, metadata }: KerasModelContent,
  savedAt: Date,
): Promise<void> {
  const weightsFile = `${file}.weights${temporarySuffix}`;
  try {
    await writeWeights(weightsFile, graph, weights);
    const archive = new yazl.ZipFile();
    const options = { mtime: savedAt, compress: false };
    const addJson = (name: string, content: object): void =>
      archive.addBuffer(Buffer.from(JSON.stringify(content)), name, options);
    addJson('metadata.json', { keras_version: kerasVersion, date_saved: dateText(savedAt), thaw: metadata });
    addJson('config.json', keras3Topology(graph));
    archive.addFile(weightsFile, 'model.weights.h5', options);
    archive.end();
    const failed = new Promise<never>((_, reject) => archive.once('error', reject));
    await Promise.race([pipeline(archive.outputStream, createWriteStream(file)), failed]);
  } finally {
    await rm(weightsFile, { force: true });
  }
}

function writeWeights(file: string, graph: Graph, weights: Weights): Promise<void> {
  return writeHdf5File(file, (root) => {
    root.group('vars').text('name', 'thaw');
    const layers = root.group('layers');
    const counts = new Map<string, number>();
    for (const layer of kerasOrder(graph)) writeLayer(layers.group(countedName(layer, counts)), layer, weights);
  });
}

function countedName({ kind }: Layer, counts: Map<string, number>): string {
  const base = snakeCase(kind);
  const count = counts.get(base) ?? 0;
  counts.set(base, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

function writeLayer(group: GroupWriter, layer: Layer, weights: Weights): void {
  const vars = group.group('vars');
  vars.text('name', kerasName(layer.path));
  const arrays = arraysOf(layer, weights);
  for (const [index, [, tensor]] of arrays.entries()) vars.array(String(index), tensor);
  if (layer.kind === 'Normalization' && arrays.length > 0) vars.count(String(arrays.length), 0);
}

/** As Keras writes it: 2026-01-31@23:59:59. */
function dateText(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', '@');
}
