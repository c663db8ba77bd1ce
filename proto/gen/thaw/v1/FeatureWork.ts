// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface FeatureWork {
  'computed'?: (number | string | Long);
  'read'?: (number | string | Long);
  'misses'?: (number | string | Long);
  'corrupt'?: (number | string | Long);
  'memoryBytes'?: (number | string | Long);
  'writtenBytes'?: (number | string | Long);
  'savedSeconds'?: (number | string);
}

export interface FeatureWork__Output {
  'computed': (number);
  'read': (number);
  'misses': (number);
  'corrupt': (number);
  'memoryBytes': (number);
  'writtenBytes': (number);
  'savedSeconds': (number);
}
