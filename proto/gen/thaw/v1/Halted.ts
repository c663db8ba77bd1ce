// Original file: thaw/v1/session.proto

import type { EpochSums as _thaw_v1_EpochSums, EpochSums__Output as _thaw_v1_EpochSums__Output } from '../../thaw/v1/EpochSums.ts';
import type { Long } from '@grpc/proto-loader';

export interface Halted {
  'appliedStep'?: (number | string | Long);
  'sums'?: (_thaw_v1_EpochSums | null);
}

export interface Halted__Output {
  'appliedStep': (number);
  'sums': (_thaw_v1_EpochSums__Output | null);
}
