import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { argmax } from '@thaw/common/evaluation/argmax.ts';
import { addSparse, sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { atTemperature } from '@thaw/common/evaluation/temperature.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import { type TinyResult, writeTinyResult } from '../../../test/support/fixtures/tiny-result.ts';
import { decodeImage } from '../data/decode-image.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { LabelledSamples, Notice } from './messages.ts';
import { type ModelRunner, openModel } from './model-runner.ts';

let folder = '';
let result: TinyResult;
let runner: ModelRunner;
let samples: LabelledSamples;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-runner-'));
  result = await writeTinyResult(folder, { images: { perClass: 14 } });
  const { job, graph, manifest } = result.prepared;
  const { preprocessing } = job.model;
  const { loss } = job.train;
  runner = await openModel({
    graph,
    weights: result.weights,
    preprocessing,
    temperature: 1,
    classes: 3,
    loss,
    engine: 'cpu',
  });
  const { train } = manifest.sets;
  samples = { ids: train.ids, files: train.paths.map((file) => path.join(result.images, file)), labels: train.labels };
});
after(() => rm(folder, { recursive: true, force: true }));

it('gives a picture the bits that a stage of the job gives it, wherever the stage splits the network', async () => {
  const { graph, job, stages } = result.prepared;
  const { preprocessing } = job.model;
  const engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
  const model = engine.loadModel(graph, result.weights, preprocessing);
  const files = samples.files.slice(0, 5);
  const found = await runner.predict(files);
  const imageBytes = preprocessing.height * preprocessing.width * 3;
  const pixels = new Uint8Array(blockSize * imageBytes);
  for (const [row, file] of files.entries()) {
    pixels.set(await decodeImage(await readFile(file), preprocessing), (row + 7) * imageBytes);
  }
  for (const { trainable } of stages) {
    const names = trainable.map(({ name }) => name);
    const program = model.stageProgram({
      trainable: names,
      seed: 1,
      blockSize,
      microBatch: 4,
      classes: 3,
      loss: plainCrossEntropy,
    });
    const expected = program.probabilities(program.features(pixels));
    for (const [row, prediction] of found.entries()) {
      const ofRow = expected.slice((row + 7) * 3, (row + 8) * 3);
      assert.deepEqual(prediction, { kind: 'predicted', probabilities: ofRow });
    }
    program.dispose();
  }
});

it('tells apart what is no picture, and predicts the others all the same', async () => {
  const [first = '', second = ''] = samples.files;
  const found = await runner.predict([first, '/gone.png', import.meta.filename, folder, second]);
  const reasons = found.map((one) => (one.kind === 'unreadable' ? one.reason.replace(/:.*/, '') : 'predicted'));
  assert.deepEqual(reasons, [
    'predicted',
    'does not exist',
    'is no image that can be decoded',
    'is a folder',
    'predicted',
  ]);
  const alone = await runner.predict([second]);
  assert.deepEqual(alone[0], found[4]);
});

it('computes nothing where nothing can be read', async () => {
  assert.deepEqual(await runner.predict(['/gone.png']), [{ kind: 'unreadable', reason: 'does not exist' }]);
});

it('gives a calibrated model the probabilities at its temperature', async () => {
  const files = samples.files.slice(0, 3);
  const { graph, job } = result.prepared;
  const { preprocessing } = job.model;
  const { loss } = job.train;
  const settings = { preprocessing, temperature: 2.5, classes: 3, loss, engine: 'cpu' } as const;
  const model = { graph, weights: result.weights, ...settings };
  const calibrated = await openModel(model);
  const plain = await runner.predict(files);
  for (const [row, prediction] of (await calibrated.predict(files)).entries()) {
    const before = plain[row];
    assert.ok(prediction.kind === 'predicted' && before?.kind === 'predicted');
    assert.deepEqual(prediction.probabilities, atTemperature(before.probabilities, 2.5));
    assert.notDeepEqual(prediction.probabilities, before.probabilities);
  }
});

it('evaluates to the sums of its own predictions, leaving out what cannot be decoded, and says how far it is', async () => {
  const withBad = {
    ids: [...samples.ids, 'bad'],
    files: [...samples.files, import.meta.filename],
    labels: [...samples.labels, 0],
  };
  const notices: Notice[] = [];
  const { parts } = await runner.evaluate(withBad, (notice) => notices.push(notice));
  const expected = await sumsOfPredictions();
  const total = (of: (part: EvaluatedPart__Output) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  assert.equal(
    total(({ count }) => count),
    samples.ids.length,
  );
  assert.equal(
    total(({ badSamples }) => badSamples),
    1,
  );
  assert.deepEqual(addSparse(parts.flatMap(({ confusion }) => confusion ?? [])), sparseOf(expected.confusion));
  // The logarithm of a rounded probability, against the loss from logits.
  const loss = total(({ lossSum }) => lossSum);
  assert.ok(Math.abs(loss - expected.lossSum) <= 1e-6 * expected.lossSum, `${loss}; ${expected.lossSum} is expected`);
  const [bad, ...moreBad] = notices.filter(({ kind }) => kind === 'badSample');
  assert.deepEqual([bad?.kind === 'badSample' && bad.id, moreBad], ['bad', []]);
  const last = notices.at(-1);
  assert.ok(last?.kind === 'progress');
  assert.deepEqual([last.phase, last.done, last.total], ['evaluate', withBad.ids.length, withBad.ids.length]);
});

it('fails on a file that is not there, because that is no property of the sample', async () => {
  const gone = { ids: ['gone'], files: ['/gone.png'], labels: [0] };
  await assert.rejects(
    runner.evaluate(gone, () => {}),
    { code: 'SourceNotFound', message: /\/gone\.png cannot be read/ },
  );
});

async function sumsOfPredictions(): Promise<{ confusion: number[]; lossSum: number }> {
  const confusion = new Array<number>(9).fill(0);
  let lossSum = 0;
  for (const [i, file] of samples.files.entries()) {
    const [prediction] = await runner.predict([file]);
    assert.ok(prediction?.kind === 'predicted');
    const truth = samples.labels[i] as number;
    const cell = truth * 3 + argmax(prediction.probabilities);
    confusion[cell] = (confusion[cell] as number) + 1;
    lossSum += Math.round(-Math.log(prediction.probabilities[truth] as number) * fixedPointScale);
  }
  return { confusion, lossSum };
}
