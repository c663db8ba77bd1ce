// A trainer's own account of why it cannot go on, as the job's failure: its code, and the stage, step and tensor.

import { errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import type { Failure__Output } from '@thaw/proto/gen/thaw/v1/Failure.ts';
import type { JobFailure, Member } from './state.ts';

export function failureOf({ name }: Member, failure: Failure__Output): JobFailure {
  const { message, stage, step, tensor } = failure;
  const place = step > 0 || tensor !== '' ? { stage, step, ...(tensor !== '' && { tensor }) } : {};
  return { code: errorCodeOf(failure.code), message: `${name}: ${message}`, trainer: name, ...place };
}
