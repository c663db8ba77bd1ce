// Original file: thaw/v1/blobs.proto

import type { Long } from '@grpc/proto-loader';

export interface StoreReply {
  'digest'?: (string);
  'bytes'?: (number | string | Long);
}

export interface StoreReply__Output {
  'digest': (string);
  'bytes': (number);
}
