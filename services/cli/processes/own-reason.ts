// Why a process ended, by its own account: the last line of its stderr, where that names an error of the catalogue.

import { type ErrorCode, errorCatalogue, lostTouchCodes } from '@thaw/common/errors/catalogue.ts';
import type { Child } from './child.ts';

export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Null of one that did not say, or said only that it has lost touch. */
export function ownReason({ name, lastLines }: Pick<Child, 'name' | 'lastLines'>): Reason | null {
  const [, code = '', reason = ''] = /^error \[(\w+)\] (.*)$/.exec(lastLines().at(-1) ?? '') ?? [];
  if (lostTouchCodes.some((one) => one === code)) return null;
  return Object.hasOwn(errorCatalogue, code) ? { code: code as ErrorCode, message: `${name}: ${reason}` } : null;
}
