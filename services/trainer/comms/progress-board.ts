// Where the compute thread leaves what it is doing, for heartbeats and gauges. One writer, one reader, no lock: each
// field is a float64 of its own, and a heartbeat that mixes two steps harms nobody.

export const phases = ['loading', 'idle', 'features', 'compute', 'exchange', 'apply', 'evaluate'] as const;
export type Phase = (typeof phases)[number];

const fields = [
  'phase',
  'generation',
  'stage',
  'epoch',
  'step',
  'ticks',
  'loss',
  'accuracy',
  'learningRate',
  'gradientNorm',
  'samplesPerSecond',
  'stepSeconds',
  'done',
  'total',
] as const;
export type BoardField = Exclude<(typeof fields)[number], 'phase'>;

export interface ProgressBoard {
  enter(phase: Phase, total?: number): void;
  /** Counts one micro-batch, block or chunk; `done` of the phase moves with it. */
  tick(samples?: number): void;
  set(values: Partial<Record<BoardField, number>>): void;
  get(field: BoardField): number;
  phase(): Phase;
}

export function newBoardBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(fields.length * Float64Array.BYTES_PER_ELEMENT);
}

export function progressBoard(buffer: SharedArrayBuffer): ProgressBoard {
  const values = new Float64Array(buffer);
  const at = (field: (typeof fields)[number]): number => fields.indexOf(field);
  const [phaseAt, ticksAt, doneAt, totalAt] = [at('phase'), at('ticks'), at('done'), at('total')];
  return {
    enter(phase, total = 0) {
      values[phaseAt] = phases.indexOf(phase);
      values[doneAt] = 0;
      values[totalAt] = total;
    },
    tick(samples = 1) {
      values[ticksAt] = (values[ticksAt] ?? 0) + 1;
      values[doneAt] = (values[doneAt] ?? 0) + samples;
    },
    set(changes) {
      for (const [field, value] of Object.entries(changes)) values[at(field as BoardField)] = value;
    },
    get: (field) => values[at(field)] ?? 0,
    phase: () => phases[values[phaseAt] ?? 0] ?? 'loading',
  };
}
