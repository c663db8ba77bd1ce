// Gathers what the page shows beside the report: the event log and pictures of the worst mistakes.

import { readFile } from 'node:fs/promises';
import type { DataManifest } from '@thaw/common/data/manifest.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import { storageFailed } from '../../adapters/storage-failure.ts';
import type { Report } from '../build-report.ts';
import { reportPage } from './report-page.ts';
import { runHistory } from './run-history.ts';
import { makeThumbnails } from './thumbnails.ts';

export interface PageSources {
  readonly report: Report;
  readonly job: ResolvedJob;
  readonly origin: string;
  readonly manifest: DataManifest;
  /** Folder that the manifest's relative paths start from. */
  readonly dataRoot: string;
  /** events.jsonl; it may not be there. */
  readonly eventsFile: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
}

/** The page's text. Throws StorageFailed when the event log is there and cannot be read. */
export async function makeReportPage({ manifest, dataRoot, eventsFile, ...shown }: PageSources): Promise<string> {
  const { ids, paths } = manifest.sets.test;
  const pathOf = new Map(ids.map((id, row) => [id, paths[row] as string]));
  const files = shown.report.test.worstMistakes.map(({ id }) => pathOf.get(id) ?? id);
  const thumbnails = await makeThumbnails(files, dataRoot);
  return reportPage({ ...shown, history: runHistory(shown.report, await readLog(eventsFile)), thumbnails });
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw storageFailed(thrown, file, 'reading the event log');
  }
}
