import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readSafetensors, writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { writeMark } from '@thaw/coordinator/export/output-folder.ts';
import { type TinyResult, writeTinyResult } from '../../../test/support/fixtures/tiny-result.ts';
import { openResult } from './open-result.ts';

let folder = '';
let result: TinyResult;
let tfjsOnly: TinyResult;
let kerasOnly: TinyResult;
let h5Only: TinyResult;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-result-'));
  result = await writeTinyResult(path.join(folder, 'both'), { formats: ['safetensors'] });
  tfjsOnly = await writeTinyResult(path.join(folder, 'tfjs'), { formats: ['tfjs'] });
  kerasOnly = await writeTinyResult(path.join(folder, 'keras'), { formats: ['keras'] });
  h5Only = await writeTinyResult(path.join(folder, 'h5'), { formats: ['h5'] });
});
after(() => rm(folder, { recursive: true, force: true }));

describe('a finished result', () => {
  for (const [format, given] of [
    ['safetensors', () => result] as const,
    ['tfjs', () => tfjsOnly] as const,
    ['keras', () => kerasOnly] as const,
    ['h5', () => h5Only] as const,
  ]) {
    it(`opens from ${format} with the very bits that were exported`, async () => {
      const { out, weights, prepared } = given();
      const opened = await openResult(out);
      assert.deepEqual([...opened.weights.keys()].sort(), [...weights.keys()].sort());
      for (const [name, { shape, data }] of weights) assert.deepEqual(opened.weights.get(name), { shape, data }, name);
      assert.deepEqual(opened.graph, JSON.parse(JSON.stringify(prepared.graph)));
      assert.deepEqual(opened.labels, ['circle', 'square', 'stripes']);
      assert.deepEqual(opened.preprocessing, prepared.job.model.preprocessing);
    });
  }
});

it('that is calibrated comes with its temperature, any other with 1', async () => {
  const out = await mkdtemp(path.join(folder, 'calibrated-'));
  await cp(result.out, out, { recursive: true });
  assert.equal((await openResult(out)).temperature, 1);
  await writeFile(path.join(out, 'calibration.json'), '{"version": 1, "temperature": 1.5, "samples": 9}');
  assert.equal((await openResult(out)).temperature, 1.5);
});

type Change = (file: (name: string) => string) => Promise<unknown>;
type Json = Record<string, unknown> & { layers?: { config: object; outputShape: number[] }[] };

const json =
  (name: string, change: (value: Json) => unknown): Change =>
  async (file) => {
    const value = JSON.parse(await readFile(file(name), 'utf8')) as Json;
    await writeFile(file(name), JSON.stringify(change(value)));
  };
const without =
  (name: string): Change =>
  (file) =>
    rm(file(name), { recursive: true });
const tensors =
  (change: (names: Map<string, { shape: readonly number[]; data: Float32Array }>) => void): Change =>
  async (file) => {
    const read = readSafetensors(await readFile(file('model/model.safetensors')), 'test').tensors;
    const held = new Map([...read].map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }]));
    change(held);
    await writeFile(file('model/model.safetensors'), writeSafetensors(held));
  };

const bias = 'head/output/bias';
const broken: readonly (readonly [string, 'safetensors' | 'tfjs', Change, string, RegExp])[] = [
  ['no report', 'safetensors', without('report.json'), 'SourceNotFound', /broken-\w+: found no report\.json; expected/],
  ['no labels', 'safetensors', without('labels.json'), 'SourceNotFound', /labels\.json is missing/],
  ['no graph', 'safetensors', without('model/graph.json'), 'SourceNotFound', /graph\.json is missing/],
  [
    'no weights',
    'safetensors',
    without('model/model.safetensors'),
    'SourceNotFound',
    /found none of model\.safetensors, model\.json, model\.keras, model\.h5; expected/,
  ],
  ['no weights.bin', 'tfjs', without('model/weights.bin'), 'SourceNotFound', /weights\.bin is missing/],
  [
    'another report version',
    'safetensors',
    json('report.json', (r) => ({ ...r, version: 2 })),
    'VersionUnknown',
    /report\.json has version 2; this Thaw knows version 1/,
  ],
  [
    'another calibration version',
    'safetensors',
    (file) => writeFile(file('calibration.json'), '{"version": 2, "temperature": 1.5, "samples": 9}'),
    'VersionUnknown',
    /calibration\.json has version 2/,
  ],
  [
    'a temperature of nothing',
    'safetensors',
    (file) => writeFile(file('calibration.json'), '{"version": 1, "temperature": 0, "samples": 9}'),
    'ModelInvalid',
    /calibration\.json: temperature: found 0/,
  ],
  [
    'another graph version',
    'safetensors',
    json('model/graph.json', (g) => ({ ...g, version: 9 })),
    'VersionUnknown',
    /graph\.json has version 9/,
  ],
  [
    'a report without version',
    'safetensors',
    json('report.json', () => ({})),
    'ModelInvalid',
    /report\.json: version: found nothing; expected a number/,
  ],
  [
    'a torn report',
    'safetensors',
    (file) => truncate(file('report.json'), 40),
    'ModelInvalid',
    /report\.json is no whole JSON file \(40 bytes\)/,
  ],
  [
    'a missing label',
    'safetensors',
    json('labels.json', () => ['circle', 'square']),
    'ModelInvalid',
    /labels\.json: found 2 classes; expected as many as .*graph\.json has outputs: \[3\]/,
  ],
  [
    'labels that are no texts',
    'safetensors',
    json('labels.json', () => [1, 2, 3]),
    'ModelInvalid',
    /labels\.json: \[0\]: found 1; expected a text/,
  ],
  [
    'another input size',
    'safetensors',
    json('preprocessing.json', (p) => ({ ...p, height: 32 })),
    'ModelInvalid',
    /preprocessing\.json: found 32 x 24; expected the input of .*\[24,24,3\]/,
  ],
  [
    'an unknown resize',
    'safetensors',
    json('preprocessing.json', (p) => ({ ...p, resize: 'stretch' })),
    'ModelInvalid',
    /resize: found "stretch"; expected squash, crop, pad/,
  ],
  [
    'a layer changed',
    'safetensors',
    json('model/graph.json', (g) => changedStride(g)),
    'ModelInvalid',
    /graph\.json: found backbone\/block1_conv: outputs \[12,12,8\].*; expected outputs \[24,24,8\]/,
  ],
  [
    'an unknown layer',
    'safetensors',
    json('model/graph.json', (g) => JSON.parse(JSON.stringify(g).replace('"ReLU"', '"Mish"'))),
    'ModelInvalid',
    /layer class "Mish" is not supported/,
  ],
  [
    'no such output',
    'safetensors',
    json('model/graph.json', (g) => ({ ...g, output: 'head/gone' })),
    'ModelInvalid',
    /found no layer head\/gone/,
  ],
  [
    'truncated safetensors',
    'safetensors',
    (file) => truncate(file('model/model.safetensors'), 3000),
    'ModelInvalid',
    /model\.safetensors: .*found/,
  ],
  [
    'truncated weights.bin',
    'tfjs',
    (file) => truncate(file('model/weights.bin'), 3000),
    'ModelInvalid',
    /weights\.bin is truncated/,
  ],
  [
    'bytes left over',
    'tfjs',
    async (file) =>
      writeFile(file('model/weights.bin'), Buffer.concat([await readFile(file('model/weights.bin')), Buffer.alloc(4)])),
    'ModelInvalid',
    /weights\.bin: found \d+ bytes; expected \d+/,
  ],
  [
    'a tensor missing',
    'safetensors',
    tensors((held) => held.delete(bias)),
    'ModelInvalid',
    /head\/output\/bias: found nothing; expected shape \[3\]/,
  ],
  [
    'a tensor more',
    'safetensors',
    tensors((held) => held.set('extra', { shape: [1], data: new Float32Array(1) })),
    'ModelInvalid',
    /extra: found; expected no such tensor/,
  ],
  [
    'a tensor of another shape',
    'safetensors',
    tensors((held) => held.set(bias, { shape: [4], data: new Float32Array(4) })),
    'ModelInvalid',
    /head\/output\/bias: found shape \[4\]; expected shape \[3\]/,
  ],
  [
    'one bit of a weight flipped',
    'tfjs',
    flippedBit,
    'ModelInvalid',
    /weights\.bin: found weights of digest sha256:[0-9a-f]{64}; expected sha256:[0-9a-f]{64} \(weightsDigest in .*report\.json\)/,
  ],
  [
    "another run's weights",
    'safetensors',
    tensors((held) => held.get(bias)?.data.fill(1)),
    'ModelInvalid',
    /model\.safetensors: found weights of digest/,
  ],
];

describe('a result that is not whole is refused, naming the file', () => {
  for (const [name, format, change, code, message] of broken) {
    it(name, async () => {
      const out = await mkdtemp(path.join(folder, 'broken-'));
      await cp((format === 'tfjs' ? tfjsOnly : result).out, out, { recursive: true });
      await change((file) => path.join(out, file));
      await assert.rejects(openResult(out), { code, message });
    });
  }
});

describe('a folder that holds no result is refused', () => {
  it('that is not there', () =>
    assert.rejects(openResult(path.join(folder, 'nothing')), {
      code: 'SourceNotFound',
      message: /nothing: does not exist; expected the output folder/,
    }));

  it('that is a file', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(openResult(file), { code: 'SourceNotFound', message: /is no folder/ });
  });

  it("that is somebody else's", async () => {
    const other = path.join(folder, 'other');
    await mkdir(other);
    await assert.rejects(openResult(other), { code: 'SourceNotFound', message: /found no report\.json; expected/ });
  });

  it('whose run is still going', async () => {
    const out = path.join(folder, 'running');
    await writeMark(out, { uid: '01A', name: 'cats', jobDigest: 'sha256:a', pid: process.pid, state: 'Running' });
    await assert.rejects(openResult(out), {
      code: 'SourceNotFound',
      message: /a run of "cats" that is not finished \(Running\)/,
    });
  });
});

function changedStride(graph: Json): Json {
  const [input, convolution, ...others] = graph.layers ?? [];
  return {
    ...graph,
    layers: [input, { ...convolution, config: { ...convolution?.config, strides: [1, 1] } }, ...others] as never,
  };
}

async function flippedBit(file: (name: string) => string): Promise<void> {
  const bytes = await readFile(file('model/weights.bin'));
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  await writeFile(file('model/weights.bin'), bytes);
}
