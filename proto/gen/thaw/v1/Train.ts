// Original file: thaw/v1/session.proto

import type { EpochSums as _thaw_v1_EpochSums, EpochSums__Output as _thaw_v1_EpochSums__Output } from '../../thaw/v1/EpochSums.ts';
import type { Long } from '@grpc/proto-loader';

export interface Train {
  'stage'?: (number);
  'epoch'?: (number);
  'firstStep'?: (number | string | Long);
  'lastStep'?: (number | string | Long);
  'stageFirstStep'?: (number | string | Long);
  'restoreDigest'?: (string);
  'resetOptimizer'?: (boolean);
  'epochFirstStep'?: (number | string | Long);
  'soFar'?: (_thaw_v1_EpochSums | null);
  'snapshotMember'?: (number);
  'restoring'?: (number)[];
}

export interface Train__Output {
  'stage': (number);
  'epoch': (number);
  'firstStep': (number);
  'lastStep': (number);
  'stageFirstStep': (number);
  'restoreDigest': (string);
  'resetOptimizer': (boolean);
  'epochFirstStep': (number);
  'soFar': (_thaw_v1_EpochSums__Output | null);
  'snapshotMember': (number);
  'restoring': (number)[];
}
