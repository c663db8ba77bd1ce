// What a trainer of the model holds instead of tensors: a chain of hashes. Each step makes the next link from the link
// before and the sum over all shards, so that a step that is skipped, doubled, or made of other shards is never made good.

import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '@thaw/common/content/digest.ts';
import type { EpochSums__Output } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';

export interface ModelState {
  readonly weights: string;
  /** The optimizer's; a stage may begin without. */
  readonly slots: string;
}

export const untrained: ModelState = { weights: 'source', slots: '' };

/** Of one shard to one step: a small integer, whoever computes it. */
export function contributionOf(step: number, shard: number): number {
  return Math.imul(Math.imul(step, 0x9e3779b1) ^ (shard + 1), 0x85ebca6b) >>> 16;
}

export function stepped({ weights, slots }: ModelState, step: number, sum: number): ModelState {
  return { weights: hashOf('weights', weights, slots, step, sum), slots: hashOf('slots', slots, step, sum) };
}

/** A number below `bound` that the weights and the rest decide. */
export function figureOf(state: ModelState, bound: number, ...what: readonly (string | number)[]): number {
  return Number.parseInt(hashOf('figure', state.weights, ...what).slice(0, 8), 16) % bound;
}

export function encodeModel(state: ModelState, scheduleState: string): string {
  return JSON.stringify({ ...state, scheduleState });
}

export function decodeModel(text: string): ModelState {
  const { weights, slots } = JSON.parse(text) as ModelState;
  return { weights, slots };
}

export function digestOfModel({ weights, slots }: ModelState): Digest {
  return digestOf(`${weights} ${slots}`);
}

export const noSums: EpochSums__Output = {
  lossSum: 0,
  penaltySum: 0,
  count: 0,
  correct: 0,
  stepsSkipped: 0,
  learningRate: 0,
};

/** Over one step more. */
export function addedTo(sums: EpochSums__Output, step: number, sum: number): EpochSums__Output {
  const { lossSum, count, correct } = sums;
  return { ...sums, lossSum: lossSum + sum, count: count + 16, correct: correct + (sum % 17), learningRate: 1 / step };
}

function hashOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('/')).digest('hex');
}
