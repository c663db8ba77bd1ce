// Every epoch of the run: from the event log, which has all of them, with what the report still holds laid over it. An
// epoch that was run twice (a coordinator came back) counts as it was run last.

import type { LogEntry } from '../../core/event-log.ts';
import type { EpochRecord, Metrics, Retention, StepParts } from '../../core/state.ts';
import type { Report } from '../build-report.ts';

export interface RunHistory {
  /** In order; `epoch` counts from 0 over the whole job. */
  readonly epochs: readonly EpochFigures[];
  /** Epochs that were trained and of which nothing is left. */
  readonly epochsMissing: number;
}

export interface EpochFigures {
  readonly epoch: number;
  readonly stage: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly seconds: number;
  /** Null where the log is of a Thaw that did not say. */
  readonly parts: StepParts | null;
  readonly reducedBytes: number | null;
  readonly validation: Metrics | null;
  /** What was left of the old task; null without retention. */
  readonly retention: Retention | null;
}

/** `log`: text of events.jsonl; a last line that is cut off is left out. Empty when there is none. */
export function runHistory(report: Report, log: string): RunHistory {
  const epochs = new Map<number, EpochFigures>();
  for (const event of eventsOf(log)) {
    if (event.kind === 'epochTrained') epochs.set(event.epoch, trained(event));
    if (event.kind === 'epochEvaluated') {
      const known = epochs.get(event.epoch);
      if (known)
        epochs.set(event.epoch, { ...known, validation: event.validation, retention: event.retention ?? null });
    }
  }
  for (const [stage, { history }] of report.stages.entries()) {
    for (const record of history) epochs.set(record.epoch, recorded(record, stage));
  }
  const sorted = [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
  const ran = report.stages.reduce((sum, stage) => sum + stage.epochs, 0);
  return { epochs: sorted, epochsMissing: Math.max(0, ran - sorted.length) };
}

type Trained = Extract<LogEntry, { readonly kind: 'epochTrained' }>;

function trained(event: Trained): EpochFigures {
  const { epoch, stage, loss, accuracy, learningRate, seconds, secondsByPart, reducedBytes } = event;
  const parts = secondsByPart ?? null;
  return {
    epoch,
    stage,
    loss,
    accuracy,
    learningRate,
    seconds,
    parts,
    reducedBytes: reducedBytes ?? null,
    validation: null,
    retention: null,
  };
}

function recorded(record: EpochRecord, stage: number): EpochFigures {
  const { epoch, loss, accuracy, learningRate, trainSeconds, seconds, reducedBytes, validation, retention } = record;
  return {
    epoch,
    stage,
    loss,
    accuracy,
    learningRate,
    seconds: trainSeconds,
    parts: seconds,
    reducedBytes,
    validation,
    retention: retention ?? null,
  };
}

function eventsOf(log: string): LogEntry[] {
  const whole = log.slice(0, log.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as LogEntry);
}
