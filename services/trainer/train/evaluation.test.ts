import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationParts } from '@thaw/common/data/evaluation-parts.ts';
import { addSparse, denseOf, sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { SampleRef } from '../cache/level.ts';
import { programSource } from '../cache/program-source.ts';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { StageProgram } from '../engine/engine.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph, smallPreprocessing } from '../testing/small-network.ts';
import { evaluateParts } from './evaluation.ts';
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
  return model.stageProgram({
    trainable,
    seed: 1,
    blockSize,
    microBatch: 4,
    classes: smallClasses,
    loss: plainCrossEntropy,
  });
}

interface Asked {
  readonly set?: 'validation' | 'test';
  readonly temperatures?: readonly number[];
}

function evaluate(program: StageProgram, wanted: readonly number[], asked: Asked = {}) {
  const { set = 'validation', temperatures = [] } = asked;
  const board = progressBoard(newBoardBuffer());
  const checkpoint = async () => {};
  const features = programSource({ program, blockSize, memoryBytes: 1e9, board, checkpoint, loadBlock });
  const own = new Map(wanted.map((part) => [part, parts[part] as readonly number[]]));
  const options = { set, parts: own, labels, classes: smallClasses, temperatures } as const;
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
    const truth = labels[index] as number;
    const alone = program.evaluate(program.features(pixels), new Int32Array(blockSize).fill(truth));
    const probabilities = [...alone.probabilities].slice(0, smallClasses);
    const loss = alone.losses[0] as number;
    assert.ok(Math.abs(loss + Math.log(probabilities[truth] as number)) < 1e-5, 'cross-entropy by its definition');
    lossSum += Math.round(loss * fixedPointScale);
    const guess = probabilities.indexOf(Math.max(...probabilities));
    confusion[truth * smallClasses + guess] = (confusion[truth * smallClasses + guess] ?? 0) + 1;
    count += 1;
    if ([...probabilities].sort((a, b) => b - a).indexOf(probabilities[truth] as number) < 5) topFive += 1;
  }
  return {
    part,
    lossSum,
    count,
    topFive,
    confusion: sparseOf(confusion),
    badSamples,
    temperedLossSums: [],
    ...noFigures,
  };
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
  const [tested, validated] = [await evaluate(program, own, { set: 'test' }), await evaluate(program, own)];
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

test('at temperatures the losses are those of the probabilities there, and the test set has confidences at the first', async () => {
  const program = await aProgram();
  const temperatures = [2, 0.5, 1];
  const own = [...parts.keys()];
  const { parts: found } = await evaluate(program, own, { set: 'test', temperatures });
  const { parts: plain } = await evaluate(program, own, { set: 'test' });
  for (const [part, { count, lossSum, temperedLossSums, ...figures }] of found.entries()) {
    const [soft, sharp, same] = temperedLossSums as [number, number, number];
    assert.ok(Math.abs(same - lossSum) < count * 4, 'at 1 the loss is the loss, to a few units of rounding');
    assert.ok(soft !== sharp && soft > 0 && sharp > 0);
    const { temperedConfidenceCounts, temperedConfidenceCorrect, temperedConfidenceSums } = figures;
    const total = (cells: readonly number[]): number => cells.reduce((sum, cell) => sum + cell, 0);
    assert.equal(total(temperedConfidenceCounts), count);
    assert.equal(total(temperedConfidenceCorrect), total(figures.confidenceCorrect));
    assert.ok(total(temperedConfidenceSums) < total(figures.confidenceSums), 'less sure at a temperature of 2');
    assert.deepEqual(figures.confidenceSums, plain[part]?.confidenceSums);
  }
});

const spoilt: readonly (readonly [loss: number, said: RegExp])[] = [
  [Number.NaN, /^the output for validation sample 0 is NaN$/],
  [
    Number.POSITIVE_INFINITY,
    /^the loss of validation sample 0 is Infinity; expected at most 1048576: training has div/,
  ],
  [2 ** 20 + 1, /^the loss of validation sample 0 is 1048577; expected/],
];

for (const [loss, message] of spoilt) {
  test(`a loss of ${loss} fails the job`, async () => {
    const program = await aProgram();
    const evaluated = {
      probabilities: new Float32Array(blockSize * smallClasses),
      losses: new Float32Array(blockSize).fill(loss),
    };
    await assert.rejects(evaluate({ ...program, evaluate: () => evaluated }, [0]), { code: 'NonFinite', message });
  });
}
