// Original file: thaw/v1/blobs.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchRequest {
  'digest'?: (string);
  'offset'?: (number | string | Long);
}

export interface FetchRequest__Output {
  'digest': (string);
  'offset': (number);
}
