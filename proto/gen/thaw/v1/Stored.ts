// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Stored {
  'digest'?: (string);
  'bytes'?: (number | string | Long);
}

export interface Stored__Output {
  'digest': (string);
  'bytes': (number);
}
