// What happens when the output cannot be written. A reader that has seen enough (`thaw … | head`) is no failure: the
// command does its work, says nothing more, and ends with its own status. Anything else is an error.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export function keepOnWithoutReader(output: NodeJS.WriteStream, fail: (error: ThawError) => void): void {
  output.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') return;
    fail(new ThawError('StorageFailed', `the output could not be written: ${cause.message}`, { cause }));
  });
}
