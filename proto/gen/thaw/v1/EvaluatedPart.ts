// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface EvaluatedPart {
  'part'?: (number);
  'lossSum'?: (number | string | Long);
  'count'?: (number | string | Long);
  'confusion'?: (number)[];
  'badSamples'?: (number);
}

export interface EvaluatedPart__Output {
  'part': (number);
  'lossSum': (number);
  'count': (number);
  'confusion': (number)[];
  'badSamples': (number);
}
