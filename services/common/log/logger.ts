// Logs: pino, one JSON object a line, to a file (OUT/logs/NAME.jsonl) or to stderr. Lines are written at once, so the
// last ones are there after a crash; a process logs transitions, not steps, so that this costs nothing that matters.

import { destination, type LevelWithSilent, type Logger, pino } from 'pino';

export type { Logger };

export interface LoggerOptions {
  /** Process in the run: coordinator, trainer-0, … */
  readonly name: string;
  /** Appended to; its folder is made. Default: stderr. */
  readonly file?: string | undefined;
  /** Default: info. */
  readonly level?: LevelWithSilent | undefined;
}

export function createLogger({ name, file, level = 'info' }: LoggerOptions): Logger {
  const stderr = 2;
  const stream = destination({ dest: file ?? stderr, mkdir: true, sync: true });
  stream.once('error', ({ message }: Error) => process.stderr.write(`log lines of ${name} are lost: ${message}\n`));
  // A full disk costs log lines, never the run.
  stream.on('error', () => undefined);
  return pino({ name, level, base: { name, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}
