// An exported model is usable elsewhere: stock TensorFlow.js and plain Python give the probabilities of `thaw predict`
// on the same pixels, from the exported files alone, and Thaw itself takes it up as the source of another job.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import { headInput } from '@thaw/common/model/head.ts';
import { openModelSource } from '@thaw/coordinator/prepare/model-source/open-model-source.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import { decodeImage } from '@thaw/trainer/data/decode-image.ts';
import { aTinyJob } from '../support/fixtures/tiny-job.ts';
import { type TinyResult, writeTinyResult } from '../support/fixtures/tiny-result.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { pythonWith } from '../support/python.ts';
import { runThaw } from '../support/thaw-process.ts';

const picturesPerClass = 3;

const engine = (await skipWithoutEngine()) ? 'cpu' : 'tensorflow';
const python = await pythonWith(['numpy>=1.24,<3', 'safetensors>=0.4,<1']);

let folder = '';
let result: TinyResult;
/** Relative to the folder. */
let files: string[] = [];
/** As `thaw predict` gives them, a row a file. */
let expected: number[][] = [];
/** rgb bytes of the files, [files, height, width, 3]. */
let pixels = new Uint8Array();

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-exported-'));
  result = await writeTinyResult(folder, { formats: ['tfjs', 'safetensors', 'h5', 'keras'] });
  const all = await readdir(path.join(folder, 'images'), { recursive: true });
  files = all.filter((name) => /\/00[0-2]\.png$/.test(name)).map((name) => path.join('images', name));
  assert.equal(files.length, 3 * picturesPerClass);
  const { status, stdout, stderr } = await runThaw(['predict', 'out', ...files, '--json', '--engine', engine], {
    cwd: folder,
  });
  assert.deepEqual([status, stderr], [0, '']);
  const { preprocessing } = result.prepared.job.model;
  const decoded = files.map(async (file) => decodeImage(await readFile(path.join(folder, file)), preprocessing));
  pixels = Uint8Array.from(Buffer.concat(await Promise.all(decoded)));
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // biome-ignore format: one chain
  assert.deepEqual(
    lines.map(({ file }) => file),
    files,
  );
  const labels = JSON.parse(await readFile(path.join(folder, 'out', 'labels.json'), 'utf8')) as string[];
  expected = lines.map(({ probabilities }) =>
    labels.map((label) => (probabilities as Record<string, number>)[label] as number),
  );
  for (const row of expected)
    assert.ok(Math.max(...row) - Math.min(...row) > 0.1, `nearly equal, so little is shown: ${row}`);
});
after(() => rm(folder, { recursive: true, force: true }));

it('gives the same probabilities in stock TensorFlow.js, to 1e-5', async () => {
  const model = await loadLayersModel({ load: () => layersModel(path.join(folder, 'out', 'model')) });
  const rules = JSON.parse(await readFile(path.join(folder, 'out', 'preprocessing.json'), 'utf8')) as Preprocessing;
  const { height, width, channelOrder, scale, mean, std } = rules;
  assert.equal(channelOrder, 'rgb');
  const output = tf.tidy(() => {
    // The bytes are decoded by Thaw; what they mean is said in preprocessing.json.
    const bytes = tf.tensor4d(pixels, [files.length, height, width, 3]);
    const input = tf.div(tf.sub(tf.mul(bytes, scale), [...mean]), [...std]);
    return (model.predict(input) as tf.Tensor).arraySync() as number[][];
  });
  model.dispose();
  requireNear(output, 1e-5);
});

it('gives the same probabilities and the same bits in numpy, to 1e-4', {
  skip: typeof python === 'string' && python,
}, async () => {
  assert.ok(typeof python !== 'string');
  const pixelFile = path.join(folder, 'pixels.bin');
  await writeFile(pixelFile, pixels);
  const script = path.join(import.meta.dirname, 'exported_model.py');
  const { probabilities, tensors } = JSON.parse(await python.run(script, [result.out, pixelFile])) as {
    probabilities: number[][];
    tensors: Record<string, object>;
  };
  requireNear(probabilities, 1e-4);
  const held = [...result.weights].map(([name, { shape, data }]) => {
    const sha256 = createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex');
    return [name, { shape, sha256 }] as const;
  });
  assert.deepEqual(tensors, Object.fromEntries(held));
});

for (const source of ['file:out', 'file:out/model/model.h5', 'file:out/model/model.keras']) {
  it(`${source} is the source of another job, with every tensor as it was`, async () => {
    const opened = await openModelSource(source, { baseDirectory: folder });
    const values = [...opened.weights.values()].map(({ data }) => data);
    const exported = result.prepared.graph.layers.flatMap(({ weights }) =>
      weights.map(({ name }) => result.weights.get(name)?.data),
    );
    assert.deepEqual(values, exported);
  });

  it(`${source} says to the next job how its pixels were prepared and where its head began`, async () => {
    const jobText = aTinyJob({ metadata: { name: 'next' }, spec: { model: { source, input: undefined } } });
    const next = await prepareJob({ jobText, fileName: 'next.yaml', baseDir: folder, cacheDirectory: folder });
    const { preprocessing, cut } = next.job.model;
    assert.deepEqual(preprocessing, result.prepared.job.model.preprocessing);
    assert.equal(`backbone/${cut}`, headInput(result.prepared.graph));
    const paths = (graph: Graph): string[] => graph.layers.map(({ path }) => path);
    assert.deepEqual(paths(next.graph), paths(result.prepared.graph));
  });
}

it('is refused where it says of its pixels what cannot be', async () => {
  const file = path.join(folder, 'out', 'model', 'model.json');
  const whole = await readFile(file, 'utf8');
  try {
    await writeFile(file, whole.replace('"channelOrder": "rgb"', '"channelOrder": "yuv"'));
    await assert.rejects(openModelSource('file:out', { baseDirectory: folder }), {
      code: 'ModelInvalid',
      message: `${file}: userDefinedMetadata.preprocessing.channelOrder: Invalid option: expected one of "rgb"|"bgr"`,
    });
  } finally {
    await writeFile(file, whole);
  }
});

/** What tfjs' own handlers give it, from the two files. */
async function layersModel(directory: string): Promise<tf.io.ModelArtifacts> {
  const model = JSON.parse(await readFile(path.join(directory, 'model.json'), 'utf8')) as tf.io.ModelJSON;
  const [group, ...others] = model.weightsManifest;
  assert.deepEqual([group?.paths, others], [['weights.bin'], []]);
  const bytes = Uint8Array.from(await readFile(path.join(directory, 'weights.bin')));
  const { modelTopology, format } = model;
  return { modelTopology, ...(format && { format }), weightSpecs: group?.weights ?? [], weightData: bytes.buffer };
}

function requireNear(found: readonly (readonly number[])[], tolerance: number): void {
  assert.equal(found.length, expected.length);
  const distances = found.flatMap((row, i) => row.map((p, j) => Math.abs(p - (expected[i]?.[j] as number))));
  assert.equal(distances.length, expected.length * 3);
  assert.ok(Math.max(...distances) <= tolerance, `${Math.max(...distances)} apart`);
}
