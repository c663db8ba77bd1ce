// Puts file, line and column in front of what is found wrong only once model and data are at hand.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { ParsedJob } from '@thaw/common/job/parse.ts';
import type { FieldPath } from '@thaw/common/job/problems.ts';
import type { HeadLayer } from '@thaw/common/job/resolved-job.ts';
import { headNames } from '@thaw/common/model/head.ts';

/** Path of the field that an error is about; null when that is not known. */
export type PlaceOf = (error: ThawError, parsed: ParsedJob) => FieldPath | null;

const namedPath = /^(spec(?:\.[A-Za-z0-9]+)*): /;

/** Messages that name their field themselves: `spec.model.cut: …`. */
const byMessage: PlaceOf = ({ message }) => namedPath.exec(message)?.[1]?.split('.') ?? null;

/** What else is wrong with a model file is wrong with the source that names it. */
export const modelPlace: PlaceOf = (error, parsed) => byMessage(error, parsed) ?? ['spec', 'model', 'source'];
export const dataPlace: PlaceOf = (error, parsed) => byMessage(error, parsed) ?? ['spec', 'data', 'source'];

export const retentionPlace: PlaceOf = (error, parsed) => byMessage(error, parsed) ?? ['spec', 'retention', 'source'];

/** What `work` throws gets its place in front. */
export async function placed<T>(
  parsed: ParsedJob,
  work: () => T | Promise<T>,
  placeOf: PlaceOf = byMessage,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof ThawError) || thrown.message.startsWith(`${parsed.fileName}:`)) throw thrown;
    const path = placeOf(thrown, parsed);
    if (!path) throw thrown;
    const message = `${parsed.where(path)}: ${thrown.message.replace(namedPath, '')}`;
    throw new ThawError(thrown.code, message, { data: thrown.data, cause: thrown });
  }
}

/** The head layer whose name the message starts with: `head/dense_1 (Dense): …`. */
export const headPlace: PlaceOf = (error, parsed) => {
  if (error.code === 'JobInvalid') return byMessage(error, parsed);
  const { head } = parsed.job.spec.model;
  const index = headNames(head.map((layer) => Object.keys(layer)[0] as HeadLayer['kind'])).findIndex((name) =>
    error.message.startsWith(`head/${name} `),
  );
  if (index >= 0) return ['spec', 'model', 'head', index];
  return ['spec', 'model', error.message.startsWith('head/') ? 'head' : 'input'];
};

/** The field of a stage that does not fit, or the pattern that selects nothing; a preset has no stages in the file. */
export function stagePlace(index: number): PlaceOf {
  return ({ data }, { job }) => {
    const { stages, preset } = job.spec.train.schedule;
    if (!stages) return ['spec', 'train', 'schedule', preset ? 'preset' : 'stages'];
    if (typeof data.field === 'string') return ['spec', 'train', 'schedule', 'stages', index, data.field];
    const pattern = stages[index]?.trainable.indexOf(String(data.pattern)) ?? -1;
    const path = ['spec', 'train', 'schedule', 'stages', index, 'trainable'];
    return pattern < 0 ? path : [...path, pattern];
  };
}
