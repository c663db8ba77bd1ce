// The logs of a run, read on from where they were read before: whole lines only, of files that may come while the run
// goes on. Lines of all files are merged by time; one without a time stands after the line before it in its file.

import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { type LogLine, readLogLine } from './log-line.ts';

export type TimedLine = LogLine & { readonly at: number };

export interface LogFiles {
  /** Lines that have come since the last call. */
  read(): Promise<readonly TimedLine[]>;
}

const endings = ['.stderr.log', '.jsonl', '.log'] as const;

/** `process`: only its logs; null those of all. */
export function openLogFiles(folder: string, process: string | null): LogFiles {
  const offsets = new Map<string, number>();
  return {
    async read() {
      const lines: TimedLine[] = [];
      for (const { file, process: owner } of await logFiles(folder)) {
        if (process !== null && owner !== process) continue;
        const { text, bytes, modified } = await wholeLinesFrom(path.join(folder, file), offsets.get(file) ?? 0);
        offsets.set(file, (offsets.get(file) ?? 0) + bytes);
        lines.push(...timed(text, owner, modified));
      }
      return lines.sort((a, b) => a.at - b.at);
    },
  };
}

/** Names of processes that have a log, in order. */
export async function loggedProcesses(folder: string): Promise<readonly string[]> {
  return [...new Set((await logFiles(folder)).map(({ process }) => process))];
}

interface LogFile {
  readonly file: string;
  readonly process: string;
}

/** None where there is no such folder. */
async function logFiles(folder: string): Promise<readonly LogFile[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort().flatMap((file) => {
    const ending = endings.find((one) => file.endsWith(one));
    return ending ? [{ file, process: file.slice(0, -ending.length) }] : [];
  });
}

interface Tail {
  readonly text: string;
  readonly bytes: number;
  /** When the file was written last, milliseconds since 1970. */
  readonly modified: number;
}

async function wholeLinesFrom(file: string, offset: number): Promise<Tail> {
  const handle = await open(file, 'r');
  try {
    const { size, mtimeMs: modified } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    return { text: buffer.toString('utf8', 0, end), bytes: end, modified };
  } finally {
    await handle.close();
  }
}

/** A file that tells no times at all has been written when it was written last. */
function timed(text: string, process: string, modified: number): TimedLine[] {
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => readLogLine(line, process));
  let at = lines.find((line) => line.at !== null)?.at ?? modified;
  return lines.map((line) => {
    at = line.at ?? at;
    return { ...line, at };
  });
}
