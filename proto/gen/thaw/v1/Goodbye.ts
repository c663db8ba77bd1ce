// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Goodbye {
  'appliedStep'?: (number | string | Long);
  'reason'?: (string);
}

export interface Goodbye__Output {
  'appliedStep': (number);
  'reason': (string);
}
