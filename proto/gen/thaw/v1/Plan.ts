// Original file: thaw/v1/session.proto

import type { TakeSnapshot as _thaw_v1_TakeSnapshot, TakeSnapshot__Output as _thaw_v1_TakeSnapshot__Output } from '../../thaw/v1/TakeSnapshot.ts';
import type { Long } from '@grpc/proto-loader';

export interface Plan {
  'term'?: (number | string | Long);
  'number'?: (number);
  'snapshot'?: (_thaw_v1_TakeSnapshot | null);
  'change'?: "snapshot";
}

export interface Plan__Output {
  'term': (number);
  'number': (number);
  'snapshot'?: (_thaw_v1_TakeSnapshot__Output | null);
  'change'?: "snapshot";
}
