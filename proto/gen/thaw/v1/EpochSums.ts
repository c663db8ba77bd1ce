// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface EpochSums {
  'lossSum'?: (number | string | Long);
  'penaltySum'?: (number | string | Long);
  'count'?: (number | string | Long);
  'correct'?: (number | string | Long);
  'stepsSkipped'?: (number);
  'learningRate'?: (number | string);
}

export interface EpochSums__Output {
  'lossSum': (number);
  'penaltySum': (number);
  'count': (number);
  'correct': (number);
  'stepsSkipped': (number);
  'learningRate': (number);
}
