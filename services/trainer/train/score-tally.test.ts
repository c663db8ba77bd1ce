import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { scoreBin, scoreBins } from '@thaw/common/evaluation/score-bins.ts';
import { denseOf, sparseOfMap } from '@thaw/common/evaluation/sparse-counts.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { evaluatedProblem, metricsOf, sumEvaluated } from '@thaw/coordinator/core/evaluation.ts';
import { loadThawProto } from '@thaw/proto/load.ts';
import { noFigures } from './prediction-tally.ts';
import { scoreTally } from './score-tally.ts';

it('counts a score for every class, apart for the one that the sample is of', () => {
  const tally = scoreTally(3);
  tally.add(Float32Array.of(0.25, 0.5, 0.25), 1);
  tally.add(Float32Array.of(0.25, 0, 1), 2);
  const dense = new Float64Array(3 * scoreBins);
  dense[scoreBin(0.25)] = 2;
  dense[scoreBins] = 1;
  dense[2 * scoreBins + scoreBin(0.25)] = 1;
  assert.deepEqual(denseOf(tally.negatives, dense.length), dense);
  assert.deepEqual(tally.positives, {
    cells: [scoreBins + scoreBin(0.5), 2 * scoreBins + scoreBin(1)],
    counts: [1, 1],
  });
});

/** The worst case for its size: one member has all 64 parts, and every class has scores of every size. */
function evaluationOf(classes: number, samplesInPart: number) {
  const stream = keyedStream(1, 'initialise', 'scores');
  const tally = scoreTally(classes);
  const scores = new Float32Array(classes);
  const parts = Array.from({ length: 64 }, (_, part) => {
    const confusion = new Map<number, number>();
    for (let i = 0; i < samplesInPart; i++) {
      for (let c = 0; c < classes; c++) scores[c] = 2 ** (-20 * stream.uniform());
      const truth = Math.floor(stream.uniform() * classes);
      const cell = truth * classes + Math.floor(stream.uniform() * classes);
      confusion.set(cell, (confusion.get(cell) ?? 0) + 1);
      tally.add(scores, truth);
    }
    const sums = { temperedLossSums: [], lossSum: 7, count: samplesInPart, topFive: 3, badSamples: 0 };
    return { part, ...sums, confusion: sparseOfMap(confusion), ...noFigures };
  });
  return { parts, positiveScores: tally.positives, negativeScores: tally.negatives };
}

it('lets 1,000 classes in 64 parts through in less than 2 MB', (context) => {
  const classes = 1000;
  const evaluated = evaluationOf(classes, blockSize);
  const { requestSerialize, requestDeserialize } = loadThawProto().Session.service.Open;
  const start = performance.now();
  const bytes = requestSerialize({ report: { term: 1, revision: 1, evaluated } });
  const received = requestDeserialize(bytes).report?.evaluated ?? assert.fail('no evaluation came through');
  const encoded = performance.now();
  const partOwners = evaluated.parts.map(() => 0);
  assert.equal(evaluatedProblem(received, { member: 0, partOwners, classes, temperatures: [] }), null);
  const metrics = metricsOf(sumEvaluated([received]), classes);
  const summed = performance.now();
  assert.deepEqual(received, evaluated);
  assert.equal(metrics.count, 64 * blockSize);
  assert.ok(bytes.length < 2e6, `${bytes.length} bytes`);
  const [coding, summing] = [encoded - start, summed - encoded].map((taken) => `${taken.toFixed(0)} ms`);
  context.diagnostic(`${(bytes.length / 1e6).toFixed(2)} MB, coded in ${coding}, checked and summed in ${summing}`);
});
