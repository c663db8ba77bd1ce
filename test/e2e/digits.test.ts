// The example that the README starts with, word for word: a real network on real digits in three stages, from the
// checkout's own script to a result that other commands read.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readFloatTensors } from '@thaw/common/tensors/safetensors.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { exampleDigits } from '@thaw/coordinator/prepare/data-source/example-digits.ts';
import { openModelSource } from '@thaw/coordinator/prepare/model-source/open-model-source.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { cacheDirectory, repositoryRoot } from '../../scripts/setup/locations.mjs';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { ownCache } from '../support/own-cache.ts';

const run = promisify(execFile);
const thaw = path.join(repositoryRoot, 'thaw');
const job = path.join(repositoryRoot, 'examples', 'digits.yaml');
const accuracyWanted = 0.92;
/** What thawing has to bring over the head alone. */
const gainWanted = 0.04;

describe('examples/digits.yaml', { skip: await skipWithoutEngine() }, () => {
  let folder = '';
  let env: NodeJS.ProcessEnv = {};
  let out = '';
  let stdout = '';
  let report: Report;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-digits-'));
    env = { ...process.env, THAW_CACHE: await ownCache(path.join(folder, 'cache')) };
    ({ stdout } = await run(thaw, ['run', job], { cwd: folder, maxBuffer: 1 << 26, env }));
    out = path.join(folder, 'out', 'digits');
    report = JSON.parse(await readFile(resultFiles(out).report, 'utf8')) as Report;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('reaches the accuracy that it promises, clearly above the head alone', (context) => {
    const [head] = report.stages;
    const ofHead = head?.validation?.accuracy ?? Number.NaN;
    const { accuracy } = report.test;
    context.diagnostic(`test accuracy ${accuracy}, head stage ${ofHead}, training ${report.seconds.training} s`);
    assert.ok(accuracy >= accuracyWanted, `${accuracy}`);
    assert.ok(accuracy >= ofHead + gainWanted, `${accuracy} against ${ofHead} of the head alone`);
  });

  it('says accuracy, digest and the next command at the end', () => {
    assert.match(stdout, /accuracy 9\d\.\d %/);
    assert.ok(stdout.includes(report.weightsDigest));
    assert.match(stdout, /next: \S*thaw predict out\/digits FILE/);
  });

  it('leaves every frozen tensor as it was, bit for bit', async () => {
    const source = await openModelSource('example:nsfwjs-mobilenet-v2', { baseDirectory: folder });
    const result = readFloatTensors(Uint8Array.from(await readFile(resultFiles(out).safetensors)), 'the result');
    const changed = [...result].filter(([name, { data }]) => {
      const before = source.weights.get(name)?.data;
      return before && Buffer.compare(bytesOf(before), bytesOf(data)) !== 0;
    });
    const layers = new Set(changed.map(([name]) => name.split('/').slice(0, 2).join('/')));
    assert.ok(layers.size > 0);
    for (const layer of layers) assert.match(layer, /^backbone\/(block_16_|Conv_1)/);
    assert.ok(result.size - changed.length > 200, `${changed.length} of ${result.size} tensors changed`);
  });

  it('gives a model that predict reads', async () => {
    const digit = path.join(folder, 'seven.png');
    await copyFile(path.join(await exampleDigits(cacheDirectory(env)), '7', '0000.png'), digit);
    const predicted = await run(thaw, ['predict', 'out/digits', 'seven.png', '--json'], { cwd: folder, env });
    const { label, probabilities } = JSON.parse(predicted.stdout) as {
      label: string;
      probabilities: Record<string, number>;
    };
    const total = Object.values(probabilities).reduce((sum, probability) => sum + probability, 0);
    assert.equal(label, '7');
    assert.ok(Math.abs(total - 1) < 1e-5);
  });
});

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
