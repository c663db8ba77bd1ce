// How a class' probabilities are ordered for the area under the ROC curve: in integers, so that the figure is the same
// for any number of trainers. A probability falls into one of 256 bins, eight for each halving, alike from both ends:
// confident models put nearly all of theirs close to 0 and 1, where bins of equal width would tell nothing apart.

import { denseOf, type SparseCounts } from './sparse-counts.ts';

export const scoreBins = 256;

const half = scoreBins / 2;
/** Bits of a float32 above its exponent's last three mantissa bits: a number that rises with the value. */
const dropped = 20;
const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);
const keyOfHalf = keyOf(0.5);

/** Never falls with the probability. What is below 2^-17 shares a bin, so does what is as close to 1. */
export function scoreBin(probability: number): number {
  return probability < 0.5 ? lowBin(probability) : scoreBins - 1 - lowBin(Math.max(0, 1 - probability));
}

function lowBin(probability: number): number {
  const below = keyOfHalf - 1 - keyOf(probability);
  return half - 1 - Math.min(half - 1, Math.max(0, below));
}

function keyOf(value: number): number {
  single[0] = value;
  return (bits[0] as number) >>> dropped;
}

/** Probabilities of each class, counted by cell class * scoreBins + bin. */
export interface ScoreHistograms {
  /** Of the samples that are of the class. */
  readonly positives: SparseCounts;
  /** Of those that are not. */
  readonly negatives: SparseCounts;
}

/**
 * Mean over the classes of the area under their one-against-the-rest ROC curve (Fawcett 2006, "An introduction to ROC
 * analysis"): how often a sample of the class has a higher probability than another one, equal bins counting half.
 * Classes that no sample or every sample is of are left out; 0.5, what guessing has, when none is left.
 */
export function macroAuc({ positives, negatives }: ScoreHistograms, classes: number): number {
  const [own, others] = [denseOf(positives, classes * scoreBins), denseOf(negatives, classes * scoreBins)];
  let [sum, counted] = [0, 0];
  for (let start = 0; start < own.length; start += scoreBins) {
    const area = areaOf(own.subarray(start, start + scoreBins), others.subarray(start, start + scoreBins));
    if (area === null) continue;
    sum += area;
    counted += 1;
  }
  return counted === 0 ? 0.5 : sum / counted;
}

/** Of the counts of one class; null without a pair to compare. */
function areaOf(positives: Float64Array, negatives: Float64Array): number | null {
  let [above, below, ofClass] = [0, 0, 0];
  for (let bin = 0; bin < scoreBins; bin++) {
    const [own, others] = [positives[bin] as number, negatives[bin] as number];
    above += own * (2 * below + others);
    below += others;
    ofClass += own;
  }
  return ofClass === 0 || below === 0 ? null : above / (2 * ofClass * below);
}
