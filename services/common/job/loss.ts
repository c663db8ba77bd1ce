// What a job says about its loss: the loss itself, the activation that its network ends in, and the weights of classes.

import { assertNever, ThawError } from '../errors/thaw-error.ts';
import type { Loss } from './resolved-job.ts';
import type { JobSpec } from './schema/job.ts';

export const plainCrossEntropy: Loss = { kind: 'crossEntropy', labelSmoothing: 0 };

export function resolveLoss({ loss = {} }: JobSpec['train']): Loss {
  if (loss.binaryCrossEntropy) return { kind: 'binaryCrossEntropy', ...loss.binaryCrossEntropy };
  if (loss.focal) return { kind: 'focal', ...loss.focal };
  if (loss.mse) return { kind: 'mse' };
  if (loss.mae) return { kind: 'mae' };
  if (loss.huber) return { kind: 'huber', ...loss.huber };
  return { ...plainCrossEntropy, ...loss.crossEntropy };
}

/** Of the output layer. Losses are computed before it, where that is more exact. */
export function outputActivation(loss: Loss): 'softmax' | 'sigmoid' {
  switch (loss.kind) {
    case 'binaryCrossEntropy':
      return 'sigmoid';
    case 'crossEntropy':
    case 'focal':
    case 'mse':
    case 'mae':
    case 'huber':
      return 'softmax';
    default:
      return assertNever(loss, 'loss');
  }
}

export interface TrainingClasses {
  readonly names: readonly string[];
  /** Samples of each class in the training set. */
  readonly counts: readonly number[];
}

/** By class index; null without weights. Throws JobInvalid for a class that is unknown, missing or without samples. */
export function resolveClassWeights(
  { classWeights }: JobSpec['train'],
  { names, counts }: TrainingClasses,
): readonly number[] | null {
  if (!classWeights) return null;
  if (classWeights.perClass) return weightsByName(classWeights.perClass, names);
  const empty = names.filter((_, index) => counts[index] === 0);
  if (empty.length > 0) {
    throw new ThawError(
      'JobInvalid',
      `spec.train.classWeights.balanced: found no training sample of ${listed(empty)}; expected some of every class`,
    );
  }
  const samples = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => samples / (names.length * count));
}

function weightsByName(given: Readonly<Record<string, number>>, names: readonly string[]): readonly number[] {
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  const missing = names.filter((name) => !Object.hasOwn(given, name));
  if (unknown.length === 0 && missing.length === 0) return names.map((name) => given[name] as number);
  const found = [
    ...(unknown.length > 0 ? [`${listed(unknown)}, which the data does not have`] : []),
    ...(missing.length > 0 ? [`no weight for ${listed(missing)}`] : []),
  ];
  throw new ThawError(
    'JobInvalid',
    `spec.train.classWeights.perClass: found ${found.join(', and ')}; expected one weight for each of ${listed(names)}`,
  );
}

const namesShownMax = 10;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesShownMax).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
