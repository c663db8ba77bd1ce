// The one error class that crosses seams. Its message says what was found, where, and what would be right;
// `data` holds the same facts as fields for logs and tests.

import { type ErrorCode, errorCatalogue } from './catalogue.ts';

export type ErrorData = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export class ThawError extends Error {
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, options: { data?: ErrorData; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = `ThawError(${code})`;
    this.code = code;
    this.data = options.data ?? {};
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable;
  }
}

/** Wraps whatever was thrown; a ThawError passes through unchanged. */
export function toThawError(thrown: unknown, code: ErrorCode = 'Internal'): ThawError {
  if (thrown instanceof ThawError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ThawError(code, message, { cause: thrown });
}

/** Marks a switch as exhaustive: the compiler refuses a forgotten case, and a forged value throws. */
export function assertNever(value: never, what: string): never {
  throw new ThawError('Internal', `unexpected ${what}: ${JSON.stringify(value)}`);
}

/** An invariant of our own code. Broken means a defect in Thaw, never bad input. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ThawError('Internal', `invariant broken: ${message}`);
}
