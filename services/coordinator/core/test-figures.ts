// What the test says beside its metrics, for the report: how often the model is right when it is how sure, and the
// surest of its mistakes. Summed in integers and put in one order, so that it is the same for any number of trainers.
// A trainer that says nothing of it is believed: nothing is decided by these figures.

import {
  confidenceCells,
  mistakesInPartMax,
  type PredictionFigures,
} from '@thaw/common/evaluation/prediction-figures.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import type { Mistake__Output } from '@thaw/proto/gen/thaw/v1/Mistake.ts';

export interface TestFigures {
  /** One entry a tenth of confidence, from 0 to 1; empty when some part came without. */
  readonly calibration: readonly CalibrationCell[];
  /** The same at the fitted temperature; empty without one. */
  readonly temperedCalibration: readonly CalibrationCell[];
  /** Surest first, on a tie by sample; at most mistakesShownMax. */
  readonly worstMistakes: readonly Mistake__Output[];
}

export interface CalibrationCell {
  readonly count: number;
  readonly correct: number;
  /** Mean probability of the predicted class; 0 without samples. */
  readonly confidence: number;
}

type PartFigures = PredictionFigures & Pick<EvaluatedPart__Output, 'count'>;

export const mistakesShownMax = 24;

export function testFigures(parts: readonly PartFigures[]): TestFigures {
  return {
    calibration: calibrationOf(parts.map(plainColumns)),
    temperedCalibration: calibrationOf(parts.map(temperedColumns)),
    worstMistakes: worstOf(parts),
  };
}

interface Confidences {
  readonly counts: readonly number[];
  readonly correct: readonly number[];
  readonly sums: readonly number[];
}

function plainColumns({ confidenceCounts, confidenceCorrect, confidenceSums }: PartFigures): Confidences {
  return { counts: confidenceCounts, correct: confidenceCorrect, sums: confidenceSums };
}

function temperedColumns(part: PartFigures): Confidences {
  const { temperedConfidenceCounts, temperedConfidenceCorrect, temperedConfidenceSums } = part;
  return { counts: temperedConfidenceCounts, correct: temperedConfidenceCorrect, sums: temperedConfidenceSums };
}

function calibrationOf(parts: readonly Confidences[]): CalibrationCell[] {
  if (parts.some(({ counts }) => counts.length === 0)) return [];
  const total = (of: (part: Confidences) => readonly number[], cell: number): number =>
    parts.reduce((sum, part) => sum + (of(part)[cell] as number), 0);
  return Array.from({ length: confidenceCells }, (_, cell) => {
    const count = total(({ counts }) => counts, cell);
    const correct = total((part) => part.correct, cell);
    const sum = total(({ sums }) => sums, cell);
    return { count, correct, confidence: count === 0 ? 0 : sum / fixedPointScale / count };
  });
}

function worstOf(parts: readonly PartFigures[]): Mistake__Output[] {
  const all = parts.flatMap(({ worstMistakes }) => worstMistakes);
  return all.sort((a, b) => b.probability - a.probability || a.sample - b.sample).slice(0, mistakesShownMax);
}

/** What is wrong with the figures of a part, in words that follow its number; null when nothing is. */
export function figuresProblem(part: PartFigures, sizes: { classes: number; samples: number }): string | null {
  const problem =
    confidencesProblem(plainColumns(part), part.count) ?? confidencesProblem(temperedColumns(part), part.count);
  if (problem) return problem;
  if (part.worstMistakes.length > mistakesInPartMax) {
    return `names ${part.worstMistakes.length} mistakes; expected at most ${mistakesInPartMax}`;
  }
  const odd = part.worstMistakes.find((mistake) => !isMistake(mistake, sizes));
  return odd ? `names a mistake that can be none: ${JSON.stringify(odd)}` : null;
}

function confidencesProblem({ counts, correct, sums }: Confidences, count: number): string | null {
  const lengths = [counts, correct, sums].map(({ length }) => length);
  if (lengths.every((length) => length === 0)) return null;
  if (lengths.some((length) => length !== confidenceCells)) {
    return `has confidences of ${lengths.join(', ')} cells; expected ${confidenceCells} each`;
  }
  const counted = counts.reduce((sum, samples) => sum + samples, 0);
  if (counted !== count) return `has ${counted} confidences; expected ${count}, one a sample`;
  const hasMore = counts.some((samples, cell) => (correct[cell] as number) > samples);
  return hasMore ? 'has more right confidences than samples' : null;
}

function isMistake(
  { sample, truth, prediction, probability }: Mistake__Output,
  { classes, samples }: { readonly classes: number; readonly samples: number },
): boolean {
  const areInside = sample < samples && truth < classes && prediction < classes;
  return areInside && truth !== prediction && probability >= 0 && probability <= 1;
}

/** Mean confidence, accuracy, and the expected calibration error (Guo et al. 2017) over the cells; NaN without a sample. */
export function calibrationFigures(cells: readonly CalibrationCell[]): { sure: number; right: number; error: number } {
  const count = cells.reduce((sum, cell) => sum + cell.count, 0);
  const over = (of: (cell: CalibrationCell) => number): number =>
    cells.reduce((sum, cell) => sum + of(cell), 0) / count;
  return {
    sure: over((cell) => cell.confidence * cell.count),
    right: over(({ correct }) => correct),
    error: over((cell) => Math.abs(cell.confidence * cell.count - cell.correct)),
  };
}
