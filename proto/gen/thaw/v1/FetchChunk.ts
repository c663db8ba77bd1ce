// Original file: thaw/v1/blobs.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchChunk {
  'offset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
  'totalBytes'?: (number | string | Long);
}

export interface FetchChunk__Output {
  'offset': (number);
  'data': (Buffer);
  'totalBytes': (number);
}
