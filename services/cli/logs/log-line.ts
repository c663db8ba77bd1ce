// A line of a process' log as people read it: when, who, how grave, what. Thaw's own processes write JSON, nats-server
// its own form; whatever else a process wrote to stderr has no time of its own.

export interface LogLine {
  /** Milliseconds since 1970; null where the line does not say. */
  readonly at: number | null;
  /** `trainer-0`, `trainer-0/comms`. */
  readonly process: string;
  readonly level: Level;
  readonly message: string;
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof levels)[number] | 'stderr';

/** pino's numbers: 10 is trace, 60 is fatal. */
const levelStep = 10;

const natsForm = /^\[\d+\] (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d\.\d{3})\d* \[(\w{3})\] (.*)$/;
const natsLevels: Readonly<Record<string, Level>> = {
  TRC: 'trace',
  DBG: 'debug',
  INF: 'info',
  WRN: 'warn',
  ERR: 'error',
  FTL: 'fatal',
};

/** `process`: whose file the line is in. */
export function readLogLine(text: string, process: string): LogLine {
  const nats = natsForm.exec(text);
  if (nats) {
    const [, year, month, day, time, level = '', message = ''] = nats;
    const at = new Date(`${year}-${month}-${day}T${time}`).getTime();
    return { at, process, level: natsLevels[level] ?? 'info', message };
  }
  return ownLine(text, process) ?? { at: null, process, level: 'stderr', message: text };
}

function ownLine(text: string, process: string): LogLine | null {
  if (!text.startsWith('{')) return null;
  try {
    const { time, level, name, msg } = JSON.parse(text) as Record<string, unknown>;
    const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    if (Number.isNaN(at) || typeof level !== 'number') return null;
    return {
      at,
      process: typeof name === 'string' ? name : process,
      level: levels[Math.round(level / levelStep) - 1] ?? 'info',
      message: typeof msg === 'string' ? msg : '',
    };
  } catch {
    return null;
  }
}
