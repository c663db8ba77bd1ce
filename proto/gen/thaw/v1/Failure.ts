// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Failure {
  'code'?: (string);
  'message'?: (string);
  'stage'?: (number);
  'step'?: (number | string | Long);
  'tensor'?: (string);
}

export interface Failure__Output {
  'code': (string);
  'message': (string);
  'stage': (number);
  'step': (number);
  'tensor': (string);
}
