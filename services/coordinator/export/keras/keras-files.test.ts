import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { kerasName } from '@thaw/common/model/write-layers-model.ts';
import { frozenCases, type LayerCase, layerCases } from '../../../../test/support/layer-cases.ts';
import { caseValues } from '../../../../test/support/layer-gradients.ts';
import { openBytes } from '../../prepare/model-source/keras-bytes.ts';
import { withHdf5 } from '../../prepare/model-source/keras-hdf5.ts';
import { openModelSource } from '../../prepare/model-source/open-model-source.ts';
import { writeHdf5, writeHdf5File } from './hdf5-file.ts';
import { requireKerasExport } from './stock-layer.ts';
import { writeKerasArchive } from './write-archive.ts';
import { writeKerasH5 } from './write-h5.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-keras-export-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const inFolder = (name: string): string => path.join(folder, name);

const formats = {
  h5: (graph: Graph, weights: Weights) => writeKerasH5(inFolder('model.h5'), { graph, weights, metadata: {} }),
  keras: (graph: Graph, weights: Weights) =>
    writeKerasArchive(inFolder('model.keras'), { graph, weights, metadata: {} }, new Date(0)),
} as const;

/** What a layer computes depends on nothing else. */
const described = ({ layers }: Graph, name: (path: string) => string): Map<string, unknown> =>
  new Map(layers.map(({ path, kind, inputs, outputShape }) => [name(path), [kind, inputs.map(name), outputShape]]));

for (const [format, write] of Object.entries(formats)) {
  it(`every layer kind comes back from .${format} with its weights, bit for bit`, async () => {
    for (const layerCase of [...layerCases, ...frozenCases].filter(isExported)) {
      const { graph, name } = layerCase;
      const { weights } = caseValues(layerCase);
      await write(graph, weights);
      const read = await openModelSource(`file:model.${format}`, { baseDirectory: folder });
      const renamed = (path: string): string => `backbone/${kerasName(path)}`;
      assert.deepEqual(
        described(read.graph, (path) => path),
        described(graph, renamed),
        name,
      );
      for (const { path: layer, weights: specs } of graph.layers) {
        for (const { name: weight } of specs) {
          const found = read.weights.get(`${renamed(layer)}${weight.slice(layer.length)}`);
          assert.deepEqual(found, weights.get(weight), `${name}: ${weight}`);
        }
      }
    }
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.part')),
      [],
    );
  });
}

/** hard_sigmoid is refused. */
function isExported({ graph }: LayerCase): boolean {
  return graph.layers.every(({ config }) => config.activation !== 'hard_sigmoid');
}

it('refuses hard_sigmoid, which Keras 3 computes otherwise, for Keras formats only', () => {
  const { graph } = layerCases.find((one) => !isExported(one)) as LayerCase;
  requireKerasExport(graph, ['tfjs', 'safetensors']);
  assert.throws(() => requireKerasExport(graph, ['tfjs', 'keras']), {
    code: 'NotSupported',
    message:
      /^spec\.output\.formats: found keras for .* layer x\/layer1 .* hard_sigmoid.*; expected tfjs or safetensors$/,
  });
});

it('a list that is longer than an attribute may be comes back from several', async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `a_layer_with_a_rather_long_name_${i}`);
  const file = inFolder('list.h5');
  await writeHdf5File(file, (root) => root.list('layer_names', names));
  const bytes = openBytes(file, file);
  try {
    await withHdf5(bytes, file, (root) => assert.deepEqual(root.attribute('layer_names'), names));
  } finally {
    bytes.close();
  }
});

it('says what the file system said when the file cannot be written', async () => {
  const file = inFolder('closed.h5');
  await writeFile(file, '');
  const descriptor = openSync(file, 'r');
  try {
    const write = writeHdf5(descriptor, (root) => root.text('name', 'value'));
    await assert.rejects(write, { syscall: /^(write|ftruncate)$/ });
  } finally {
    closeSync(descriptor);
  }
});
