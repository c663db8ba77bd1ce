import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationParts } from '@thaw/common/data/evaluation-parts.ts';
import { addSparse, denseOf, sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { featureSource } from '../cache/feature-source.ts';
import { featureStore, type SampleRef } from '../cache/feature-store.ts';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { StageProgram } from '../engine/engine.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import { argmax, evaluateParts, fixedPointScale } from './evaluation.ts';
import { noFigures } from './prediction-tally.ts';

const blockSize = 8;
const samples = 21;
const bad = 10;
const labels = Array.from({ length: samples }, (_, i) => (i * 7) % smallClasses);
const parts = evaluationParts(samples, blockSize);

async function loadBlock(refs: readonly SampleRef[]) {
  const images = refs.map(({ index }) => drawnPixels(`sample ${index}`));
  const pixels = new Uint8Array(blockSize * (images[0]?.length ?? 0));
  pixels.set(Buffer.concat(images));
  return { pixels, present: refs.map(({ index }) => index !== bad) };
}

async function aProgram(): Promise<StageProgram> {
  const graph = smallGraph();
  const engine = await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
  const model = engine.loadModel(graph, drawnWeights(graph), smallPreprocessing);
  const trainable = ['head/output/kernel', 'head/output/bias'];
  return model.stageProgram({ trainable, seed: 1, blockSize, microBatch: 4, classes: smallClasses });
}

function evaluate(program: StageProgram, wanted: readonly number[], set: 'validation' | 'test' = 'validation') {
  const board = progressBoard(newBoardBuffer());
  const checkpoint = async () => {};
  const features = featureSource({ program, blockSize, store: featureStore(1e9), board, checkpoint, loadBlock });
  const own = new Map(wanted.map((part) => [part, parts[part] as readonly number[]]));
  const options = { set, parts: own, labels, classes: smallClasses } as const;
  return evaluateParts({ ...options, blockSize, program, features, board, checkpoint });
}

/** Every sample alone in a block, in plain arithmetic. */
async function naive(program: StageProgram, part: number) {
  const confusion = new Array<number>(smallClasses ** 2).fill(0);
  let [lossSum, count, topFive, badSamples] = [0, 0, 0, 0];
  for (const index of parts[part] ?? []) {
    if (index === bad) {
      badSamples += 1;
      continue;
    }
    const { pixels } = await loadBlock([{ set: 'validation', index, view: 0 }]);
    const probabilities = [...program.probabilities(program.features(pixels))].slice(0, smallClasses);
    const truth = labels[index] as number;
    const guess = probabilities.indexOf(Math.max(...probabilities));
    confusion[truth * smallClasses + guess] = (confusion[truth * smallClasses + guess] ?? 0) + 1;
    lossSum += Math.round(-Math.log(probabilities[truth] as number) * fixedPointScale);
    count += 1;
    if ([...probabilities].sort((a, b) => b - a).indexOf(probabilities[truth] as number) < 5) topFive += 1;
  }
  return { part, lossSum, count, topFive, confusion: sparseOf(confusion), badSamples, ...noFigures };
}

test('the sums of each part are those of its samples one by one, whoever owns which parts', async () => {
  const program = await aProgram();
  const expected = await Promise.all(parts.map((_, part) => naive(program, part)));
  assert.equal(
    expected.reduce((sum, { count }) => sum + count, 0),
    samples - 1,
  );
  const whole = await evaluate(program, [...parts.keys()]);
  assert.deepEqual(whole.parts, expected);
  const alone = await Promise.all([...parts.keys()].map((part) => evaluate(program, [part])));
  assert.deepEqual(
    alone.flatMap((one) => one.parts),
    expected,
  );
  for (const scores of ['positiveScores', 'negativeScores'] as const) {
    assert.deepEqual(addSparse(alone.map((one) => one[scores] ?? assert.fail(`no ${scores}`))), whole[scores]);
  }
});

test('the test set has figures beside its sums, which are the same as without', async () => {
  const program = await aProgram();
  const own = [...parts.keys()];
  const [tested, validated] = [await evaluate(program, own, 'test'), await evaluate(program, own)];
  assert.deepEqual(
    tested.parts.map((part) => ({ ...part, ...noFigures })),
    validated.parts,
  );
  for (const { part, count, confusion, confidenceCounts, confidenceCorrect, worstMistakes } of tested.parts) {
    const cells = denseOf(confusion ?? assert.fail('no confusion'), smallClasses ** 2);
    const right = labels.slice(0, smallClasses).reduce((sum, _, i) => sum + (cells[i * smallClasses + i] ?? 0), 0);
    const total = (cells: readonly number[]): number => cells.reduce((sum, cell) => sum + cell, 0);
    assert.deepEqual([total(confidenceCounts), total(confidenceCorrect)], [count, right]);
    assert.equal(worstMistakes.length, Math.min(8, count - right));
    for (const { sample, truth, prediction } of worstMistakes) {
      assert.ok(parts[part]?.includes(sample) && labels[sample] === truth && prediction !== truth);
    }
  }
  assert.ok(
    tested.parts.some(({ worstMistakes }) => worstMistakes.length > 0),
    'a network that was not trained is wrong',
  );
});

test('a probability of zero costs as much as one of 1e-7, and NaN fails the job', async () => {
  const program = await aProgram();
  const giving = (value: number): StageProgram => ({
    ...program,
    probabilities: () => new Float32Array(blockSize * smallClasses).fill(value),
  });
  const { parts: ofZeros } = await evaluate(giving(0), [0]);
  assert.equal(ofZeros[0]?.lossSum, blockSize * Math.round(-Math.log(1e-7) * fixedPointScale));
  await assert.rejects(evaluate(giving(Number.NaN), [0]), {
    name: 'ThawError(NonFinite)',
    message: /validation sample 0 is NaN/,
  });
});

test('the first of equal probabilities wins', () => {
  assert.equal(argmax([0.2, 0.4, 0.4]), 1);
  assert.equal(argmax([0.5, 0.5]), 0);
});
