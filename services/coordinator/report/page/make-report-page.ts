// Gathers what the page shows beside the report: the event log, and pictures of the worst mistakes and of look-alikes.

import { readFile } from 'node:fs/promises';
import { type DataManifest, type SplitName, splitNames } from '@thaw/common/data/manifest.ts';
import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import { storageFailed } from '../../adapters/storage-failure.ts';
import type { Report } from '../build-report.ts';
import { reportPage } from './report-page.ts';
import { runHistory } from './run-history.ts';
import { makeThumbnails, type Thumbnail } from './thumbnails.ts';

/** A picture of each side takes up to 24 KiB of the page. */
const pairsShownMax = 8;

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
  const fileOf = filesById(manifest);
  const mistakes = shown.report.test.worstMistakes.map(({ id }) => fileOf('test', id));
  const thumbnails = await makeThumbnails(mistakes, dataRoot);
  const alike = (shown.report.nearDuplicates?.listed ?? []).slice(0, pairsShownMax);
  const lookAlikes = await Promise.all(
    alike.map(async ({ set, id, other }) => {
      const files = [fileOf(set, id), fileOf(other.set, other.id)];
      return (await makeThumbnails(files, dataRoot)) as [Thumbnail, Thumbnail];
    }),
  );
  const history = runHistory(shown.report, await readLog(eventsFile));
  return reportPage({ ...shown, history, thumbnails, lookAlikes });
}

/** Where a sample's file is; its id where the manifest has none of that name. */
function filesById({ sets }: DataManifest): (set: SplitName, id: string) => string {
  const byId = new Map(
    splitNames.map((set) => [set, new Map(sets[set].ids.map((id, row) => [id, sets[set].paths[row] as string]))]),
  );
  return (set, id) => byId.get(set)?.get(id) ?? id;
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw storageFailed(thrown, file, 'reading the event log');
  }
}
