// Evaluates the fixed, numbered parts of a set that this member owns. Every part is computed at the fixed block shape
// and summed on its own, in fixed point and integers, so its result is the same whoever computes it.

import type { SetName } from '@thaw/common/data/manifest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { argmax } from '@thaw/common/evaluation/argmax.ts';
import { sparseOfMap } from '@thaw/common/evaluation/sparse-counts.ts';
import { atTemperature, lossesAt } from '@thaw/common/evaluation/temperature.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import type { FeatureSource } from '../cache/feature-source.ts';
import type { SampleRef } from '../cache/level.ts';
import type { ProgressBoard } from '../comms/progress-board.ts';
import type { StageProgram } from '../engine/engine.ts';
import { noFigures, predictionTally } from './prediction-tally.ts';
import { type ScoreTally, scoreTally } from './score-tally.ts';

/** A larger loss of one sample could not be summed exactly over a large set, and says that training has diverged. */
const sampleLossMax = 2 ** 20;

export interface EvaluationOptions {
  readonly set: SetName;
  /** Rows of the set in each part that this member owns. */
  readonly parts: ReadonlyMap<number, readonly number[]>;
  readonly labels: readonly number[];
  readonly classes: number;
  /** The loss is summed at each of these too; of the test set, confidences at the first one. */
  readonly temperatures: readonly number[];
  readonly blockSize: number;
  readonly program: StageProgram;
  readonly features: FeatureSource;
  readonly board: ProgressBoard;
  readonly checkpoint: () => Promise<void>;
}

export async function evaluateParts(options: EvaluationOptions): Promise<Evaluated__Output> {
  const total = [...options.parts.values()].reduce((sum, rows) => sum + rows.length, 0);
  const parts: EvaluatedPart__Output[] = [];
  const scores = scoreTally(options.classes);
  await options.features.fill(refsOf(options.set, [...options.parts.values()].flat()));
  options.board.enter('evaluate', total);
  for (const [part, rows] of [...options.parts].sort(([a], [b]) => a - b)) {
    parts.push(await evaluatePart({ part, rows, scores }, options));
  }
  return { parts, positiveScores: scores.positives, negativeScores: scores.negatives };
}

interface Part {
  readonly part: number;
  readonly rows: readonly number[];
  readonly scores: ScoreTally;
}

async function evaluatePart({ part, rows, scores }: Part, options: EvaluationOptions): Promise<EvaluatedPart__Output> {
  const { classes, blockSize, labels, temperatures } = options;
  const confusion = new Map<number, number>();
  const sums = { lossSum: 0, count: 0, topFive: 0, badSamples: 0 };
  const temperedLossSums = temperatures.map(() => 0);
  const [temperature] = temperatures;
  const tally = options.set === 'test' ? predictionTally({ isTempered: temperature !== undefined }) : null;
  for (let start = 0; start < rows.length; start += blockSize) {
    const refs = refsOf(options.set, rows.slice(start, start + blockSize));
    await options.features.prepare(refs);
    const { features, present } = options.features.rows(refs, blockSize);
    const truths = new Int32Array(blockSize);
    for (const [row, { index }] of refs.entries()) truths[row] = labels[index] as number;
    const { probabilities, losses } = options.program.evaluate(features, truths);
    for (const [row, ref] of refs.entries()) {
      if (!present[row]) {
        sums.badSamples += 1;
        continue;
      }
      const truth = truths[row] as number;
      const ofSample = probabilities.subarray(row * classes, (row + 1) * classes);
      const prediction = argmax(ofSample);
      const cell = truth * classes + prediction;
      confusion.set(cell, (confusion.get(cell) ?? 0) + 1);
      sums.lossSum += fixedPointLoss(losses[row] as number, `${options.set} sample ${ref.index}`);
      sums.count += 1;
      if (rankOf(truth, ofSample) < 5) sums.topFive += 1;
      scores.add(ofSample, truth);
      for (const [i, loss] of lossesAt(ofSample, truth, temperatures).entries()) {
        temperedLossSums[i] = (temperedLossSums[i] as number) + Math.round(loss * fixedPointScale);
      }
      const tempered = temperature === undefined ? undefined : atTemperature(ofSample, temperature)[prediction];
      tally?.add({ sample: ref.index, truth, prediction, probability: ofSample[prediction] as number }, tempered);
    }
    options.board.tick(refs.length);
    await options.checkpoint();
  }
  const figures = tally?.figures ?? noFigures;
  return { part, ...sums, confusion: sparseOfMap(confusion), temperedLossSums, ...figures };
}

function fixedPointLoss(loss: number, what: string): number {
  if (Number.isNaN(loss)) throw new ThawError('NonFinite', `the output for ${what} is NaN`);
  if (loss <= sampleLossMax) return Math.round(loss * fixedPointScale);
  throw new ThawError(
    'NonFinite',
    `the loss of ${what} is ${loss}; expected at most ${sampleLossMax}: training has diverged, and a lower ` +
      'learningRate or gradientClip usually helps',
  );
}

function refsOf(set: SetName, rows: readonly number[]): SampleRef[] {
  return rows.map((index) => ({ set, index, view: 0 }));
}

/** How many classes are more probable than this one; of equal ones the first is. */
function rankOf(index: number, probabilities: Float32Array): number {
  const own = probabilities[index] as number;
  let rank = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const other = probabilities[i] as number;
    if (other > own || (other === own && i < index)) rank += 1;
  }
  return rank;
}
