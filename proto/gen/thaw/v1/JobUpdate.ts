// Original file: thaw/v1/jobs.proto

import type { JobStatus as _thaw_v1_JobStatus, JobStatus__Output as _thaw_v1_JobStatus__Output } from '../../thaw/v1/JobStatus.ts';

export interface JobUpdate {
  'status'?: (_thaw_v1_JobStatus | null);
  'events'?: (string)[];
}

export interface JobUpdate__Output {
  'status': (_thaw_v1_JobStatus__Output | null);
  'events': (string)[];
}
