// What the pages under docs/ list, and what the code has: compared as sorted lines, so that a difference in either
// direction shows.

import { type ErrorCode, errorCatalogue } from '@thaw/common/errors/catalogue.ts';
import { blobMetrics, coordinatorMetrics } from '@thaw/coordinator/metrics.ts';
import type { Coordinator } from '@thaw/coordinator/runtime/coordinator.ts';
import type { ProgressBoard } from '@thaw/trainer/comms/progress-board.ts';
import { trainerMetrics } from '@thaw/trainer/metrics.ts';
import { Registry } from 'prom-client';
import type { TextFile } from './text-files.ts';

/** Rows of all tables of a page whose first cell is code, as cells. */
export function rowsOf(page: string): string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));
}

export function errorsInCode(): string[] {
  return (Object.keys(errorCatalogue) as ErrorCode[]).map((code) => {
    const { retryable, summary } = errorCatalogue[code];
    return `\`${code}\` ${retryable ? 'yes' : 'no'} ${summary}`;
  });
}

export function errorsInDocs(page: string): string[] {
  return rowsOf(page).map(([code, retryable, summary]) => `${code} ${retryable} ${summary}`);
}

/** Gauges read their sources when scraped only, so that a registry alone says what there is. */
export function metricsInCode(): string[] {
  const registry = new Registry();
  coordinatorMetrics(registry, {} as Coordinator);
  blobMetrics(registry);
  trainerMetrics(registry, {} as ProgressBoard);
  return registry.getMetricsAsArray().map((metric) => {
    const { name, help, labelNames = [] } = metric as typeof metric & { labelNames?: readonly string[] };
    const labels = labelNames.map((label) => `\`${label}\``).join(', ');
    return `\`${name}\` ${metric.constructor.name.toLowerCase()} ${labels} ${help}`;
  });
}

export function metricsInDocs(page: string): string[] {
  return rowsOf(page).map(([name, type, labels, help]) => `${name} ${type} ${labels?.trim()} ${help}`);
}

const variable = /\bTHAW_[A-Z_]+\b/g;

/** In what users run; tests have their own. */
export function variablesInCode(files: readonly TextFile[]): string[] {
  const running = files.filter(({ name }) => /^(services|scripts|test\/bench)\/|^thaw$/.test(name));
  const named = running
    .filter(({ name }) => !/\.test\.ts$|\/testing\//.test(name))
    .flatMap(({ text }) => [...text.matchAll(variable)].map(([name]) => name));
  return [...new Set(named)];
}

export function variablesInDocs(page: string): string[] {
  return rowsOf(page).map(([name = '']) => name.replaceAll('`', ''));
}

/** Records of decisions whose number another one has, or whose title does not open with the number of its file. */
export function misnumbered(records: readonly TextFile[]): string[] {
  const numberOf = ({ name }: TextFile): number => Number.parseInt(name.replace(/^.*\//, ''), 10);
  return records.flatMap((record, i) => {
    const number = numberOf(record);
    const twin = records.slice(0, i).find((earlier) => numberOf(earlier) === number);
    if (twin) return [`${record.name}: ${twin.name} has the same number`];
    return record.text.startsWith(`# ${number}. `)
      ? []
      : [`${record.name}: its title does not open with "${number}. "`];
  });
}
