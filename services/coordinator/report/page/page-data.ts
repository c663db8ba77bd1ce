// What the page is made from; everything it shows is in here.

import type { ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import type { Report } from '../build-report.ts';
import type { RunHistory } from './run-history.ts';
import type { Thumbnail } from './thumbnails.ts';

export interface PageData {
  readonly report: Report;
  readonly job: ResolvedJob;
  /** Where the pretrained model comes from, in a sentence. */
  readonly origin: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly history: RunHistory;
  /** Pictures of the worst mistakes, in the order of report.test.worstMistakes. */
  readonly thumbnails: readonly Thumbnail[];
  /** Of the first pairs of report.nearDuplicates.listed, in its order. */
  readonly lookAlikes: readonly (readonly [Thumbnail, Thumbnail])[];
}
