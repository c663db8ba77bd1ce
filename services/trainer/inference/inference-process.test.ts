import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { EngineKind } from '@thaw/common/job/resolved-job.ts';
import { type TinyResult, writeTinyResult } from '../../../test/support/fixtures/tiny-result.ts';
import { skipWithoutTensorflow } from '../../../test/support/tensorflow.ts';
import { describeEngine, withInference } from './inference-process.ts';
import type { InferenceModel } from './messages.ts';

const skip = await skipWithoutTensorflow();
let folder = '';
let result: TinyResult;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-inference-'));
  result = await writeTinyResult(folder, { images: { perClass: 10 } });
});
after(() => rm(folder, { recursive: true, force: true }));

function aModel(changes: Partial<InferenceModel> = {}): InferenceModel {
  const { graph, job } = result.prepared;
  return {
    graph,
    weights: result.weights,
    preprocessing: job.model.preprocessing,
    temperature: 1,
    classes: 3,
    loss: plainCrossEntropy,
    engine: 'cpu',
    ...changes,
  };
}

const file = (): string => path.join(result.images, 'circle', '000.png');

it('carries requests and answers over, and is gone afterwards', async () => {
  const before = await children();
  const probabilities = await withInference(aModel(), {}, async ({ engineClass, predict }) => {
    assert.equal(engineClass.engine, 'cpu');
    const [first] = await predict([file()]);
    const [second] = await predict([file()]);
    assert.deepEqual(first, second);
    assert.equal((await children()).length, before.length + 1);
    return first?.kind === 'predicted' ? [...first.probabilities] : [];
  });
  assert.deepEqual(await children(), before);
  assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-6, `${probabilities}`);
});

for (const engine of ['tensorflow', 'wasm'] as const) {
  it(`computes the same on ${engine} as in plain JavaScript`, { skip: engine === 'tensorflow' && skip }, async () => {
    const on = (engine: EngineKind) => withInference(aModel({ engine }), {}, ({ predict }) => predict([file()]));
    const [[plain], [found]] = [await on('cpu'), await on(engine)];
    assert.ok(plain?.kind === 'predicted' && found?.kind === 'predicted');
    for (const [i, p] of plain.probabilities.entries())
      assert.ok(Math.abs(p - (found.probabilities[i] as number)) < 1e-5);
  });
}

it('describes the wasm engine', async () => {
  const { engineClass } = await describeEngine('wasm', {});
  assert.deepEqual([engineClass.engine, engineClass.device], ['wasm', 'CPU']);
});

it('describes the TensorFlow library that it loaded', { skip }, async () => {
  const { engineClass, oneDnn } = await describeEngine('tensorflow', {});
  assert.match(engineClass.version, /^tfjs-node 4\.22\.0, tensorflow \d+\.\S+, node \d\S*, sharp \d\S*, libvips \d/);
  assert.deepEqual([engineClass.engine, oneDnn], ['tensorflow', true]);
});

describe('throws', () => {
  it('what the work throws, after ending the process', async () => {
    await assert.rejects(
      withInference(aModel(), {}, () => Promise.reject(new Error('mine'))),
      { message: 'mine' },
    );
  });

  it('what the process answers, with its code', async () => {
    const tooMany = Array.from({ length: 33 }, file);
    await assert.rejects(
      withInference(aModel(), {}, ({ predict }) => predict(tooMany)),
      { code: 'Internal', message: /33 files in a block of 32/ },
    );
  });

  it('how the process ended, with its last lines, when it ends by itself', async () => {
    const env = { NODE_OPTIONS: '--require /no/such/module.cjs' };
    await assert.rejects(
      withInference(aModel(), env, () => Promise.resolve()),
      { code: 'EngineUnavailable', message: /the process that runs the model ended with exit code 1: .+/ },
    );
  });
});

/** Processes that this one has started, as the kernel lists them. */
async function children(): Promise<string[]> {
  const text = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  return text.split(' ').filter((pid) => pid !== '');
}
