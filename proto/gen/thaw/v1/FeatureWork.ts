// Original file: thaw/v1/session.proto

import type { FeatureChoice as _thaw_v1_FeatureChoice, FeatureChoice__Output as _thaw_v1_FeatureChoice__Output } from '../../thaw/v1/FeatureChoice.ts';
import type { Long } from '@grpc/proto-loader';

export interface FeatureWork {
  'computed'?: (number | string | Long);
  'read'?: (number | string | Long);
  'misses'?: (number | string | Long);
  'corrupt'?: (number | string | Long);
  'memoryBytes'?: (number | string | Long);
  'writtenBytes'?: (number | string | Long);
  'savedSeconds'?: (number | string);
  'proved'?: (number | string | Long);
  'choices'?: (_thaw_v1_FeatureChoice)[];
  'memoryHits'?: (number | string | Long);
  'diskHits'?: (number | string | Long);
}

export interface FeatureWork__Output {
  'computed': (number);
  'read': (number);
  'misses': (number);
  'corrupt': (number);
  'memoryBytes': (number);
  'writtenBytes': (number);
  'savedSeconds': (number);
  'proved': (number);
  'choices': (_thaw_v1_FeatureChoice__Output)[];
  'memoryHits': (number);
  'diskHits': (number);
}
