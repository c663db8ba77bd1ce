// Original file: thaw/v1/jobs.proto

import type { JobProgress as _thaw_v1_JobProgress, JobProgress__Output as _thaw_v1_JobProgress__Output } from '../../thaw/v1/JobProgress.ts';
import type { Long } from '@grpc/proto-loader';

export interface JobStatus {
  'uid'?: (string);
  'name'?: (string);
  'state'?: (string);
  'reason'?: (string);
  'message'?: (string);
  'jobDigest'?: (string);
  'generation'?: (number | string | Long);
  'trainersReady'?: (number);
  'trainersWanted'?: (number);
  'progress'?: (_thaw_v1_JobProgress | null);
  'weightsDigest'?: (string);
}

export interface JobStatus__Output {
  'uid': (string);
  'name': (string);
  'state': (string);
  'reason': (string);
  'message': (string);
  'jobDigest': (string);
  'generation': (number);
  'trainersReady': (number);
  'trainersWanted': (number);
  'progress': (_thaw_v1_JobProgress__Output | null);
  'weightsDigest': (string);
}
