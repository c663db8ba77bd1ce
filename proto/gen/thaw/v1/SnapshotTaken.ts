// Original file: thaw/v1/session.proto

import type { EpochSums as _thaw_v1_EpochSums, EpochSums__Output as _thaw_v1_EpochSums__Output } from '../../thaw/v1/EpochSums.ts';
import type { Long } from '@grpc/proto-loader';

export interface SnapshotTaken {
  'term'?: (number | string | Long);
  'revision'?: (number | string | Long);
  'plan'?: (number);
  'step'?: (number | string | Long);
  'digest'?: (string);
  'bytes'?: (number | string | Long);
  'sums'?: (_thaw_v1_EpochSums | null);
  'pauseSeconds'?: (number | string);
}

export interface SnapshotTaken__Output {
  'term': (number);
  'revision': (number);
  'plan': (number);
  'step': (number);
  'digest': (string);
  'bytes': (number);
  'sums': (_thaw_v1_EpochSums__Output | null);
  'pauseSeconds': (number);
}
