// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface StepSeconds {
  'data'?: (number | string);
  'features'?: (number | string);
  'compute'?: (number | string);
  'exchange'?: (number | string);
  'apply'?: (number | string);
  'reducedBytes'?: (number | string | Long);
}

export interface StepSeconds__Output {
  'data': (number);
  'features': (number);
  'compute': (number);
  'exchange': (number);
  'apply': (number);
  'reducedBytes': (number);
}
