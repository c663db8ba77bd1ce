// What the command line prints of an error: its code and message. A defect shows once where in the code it came from;
// everything else is the user's to act on, and needs no trace.

import { toThawError } from '@thaw/common/errors/thaw-error.ts';

export function errorText(thrown: unknown): string {
  const error = toThawError(thrown);
  const { code, message, cause } = error;
  const lines = [`error [${code}] ${message}`];
  if (code === 'Internal') lines.push(...framesOf(cause instanceof Error ? cause : error));
  return `${lines.join('\n')}\n`;
}

/** The stack without the message that precedes it. */
function framesOf({ stack = '' }: Error): string[] {
  return stack.split('\n').filter((line) => /^\s+at /.test(line));
}
