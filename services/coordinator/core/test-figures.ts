// What the test says beside its metrics, for the report: how often the model is right when it is how sure, and the
// surest of its mistakes. Summed in integers and put in one order, so that it is the same for any number of trainers.
// A trainer that says nothing of it is believed: nothing is decided by these figures.

import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import type { Mistake__Output } from '@thaw/proto/gen/thaw/v1/Mistake.ts';
import { fixedPointScale } from './evaluation.ts';

export interface TestFigures {
  /** One entry a tenth of confidence, from 0 to 1; empty when some part came without. */
  readonly calibration: readonly CalibrationCell[];
  /** Surest first, on a tie by sample; at most mistakesShownMax. */
  readonly worstMistakes: readonly Mistake__Output[];
}

export interface CalibrationCell {
  readonly count: number;
  readonly correct: number;
  /** Mean probability of the predicted class; 0 without samples. */
  readonly confidence: number;
}

type PartFigures = Pick<
  EvaluatedPart__Output,
  'count' | 'confidenceCounts' | 'confidenceCorrect' | 'confidenceSums' | 'worstMistakes'
>;

export const confidenceCells = 10;
export const mistakesInPartMax = 8;
export const mistakesShownMax = 24;

export function testFigures(parts: readonly PartFigures[]): TestFigures {
  return { calibration: calibrationOf(parts), worstMistakes: worstOf(parts) };
}

function calibrationOf(parts: readonly PartFigures[]): CalibrationCell[] {
  if (parts.some(({ confidenceCounts }) => confidenceCounts.length === 0)) return [];
  const total = (of: (part: PartFigures) => readonly number[], cell: number): number =>
    parts.reduce((sum, part) => sum + (of(part)[cell] as number), 0);
  return Array.from({ length: confidenceCells }, (_, cell) => {
    const count = total((part) => part.confidenceCounts, cell);
    const correct = total((part) => part.confidenceCorrect, cell);
    const sum = total((part) => part.confidenceSums, cell);
    return { count, correct, confidence: count === 0 ? 0 : sum / fixedPointScale / count };
  });
}

function worstOf(parts: readonly PartFigures[]): Mistake__Output[] {
  const all = parts.flatMap(({ worstMistakes }) => worstMistakes);
  return all.sort((a, b) => b.probability - a.probability || a.sample - b.sample).slice(0, mistakesShownMax);
}

/** What is wrong with the figures of a part, in words that follow its number; null when nothing is. */
export function figuresProblem(part: PartFigures, sizes: { classes: number; samples: number }): string | null {
  const columns = [part.confidenceCounts, part.confidenceCorrect, part.confidenceSums];
  const [counts = [], correct = []] = columns;
  const lengths = columns.map(({ length }) => length);
  const isAbsent = lengths.every((length) => length === 0);
  if (!isAbsent && lengths.some((length) => length !== confidenceCells)) {
    return `has confidences of ${lengths.join(', ')} cells; expected ${confidenceCells} each`;
  }
  const counted = counts.reduce((sum, count) => sum + count, 0);
  if (!isAbsent && counted !== part.count) return `has ${counted} confidences; expected ${part.count}, one a sample`;
  if (counts.some((count, cell) => (correct[cell] as number) > count)) return 'has more right confidences than samples';
  if (part.worstMistakes.length > mistakesInPartMax) {
    return `names ${part.worstMistakes.length} mistakes; expected at most ${mistakesInPartMax}`;
  }
  const odd = part.worstMistakes.find((mistake) => !isMistake(mistake, sizes));
  return odd ? `names a mistake that can be none: ${JSON.stringify(odd)}` : null;
}

function isMistake(
  { sample, truth, prediction, probability }: Mistake__Output,
  { classes, samples }: { readonly classes: number; readonly samples: number },
): boolean {
  const areInside = sample < samples && truth < classes && prediction < classes;
  return areInside && truth !== prediction && probability >= 0 && probability <= 1;
}
