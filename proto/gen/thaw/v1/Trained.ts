// Original file: thaw/v1/session.proto

import type { StepSeconds as _thaw_v1_StepSeconds, StepSeconds__Output as _thaw_v1_StepSeconds__Output } from '../../thaw/v1/StepSeconds.ts';
import type { Long } from '@grpc/proto-loader';

export interface Trained {
  'appliedStep'?: (number | string | Long);
  'stateDigest'?: (string);
  'lossSum'?: (number | string | Long);
  'penaltySum'?: (number | string | Long);
  'count'?: (number | string | Long);
  'correct'?: (number | string | Long);
  'stepsSkipped'?: (number);
  'seconds'?: (_thaw_v1_StepSeconds | null);
  'learningRate'?: (number | string);
  'frozenIntact'?: (boolean);
}

export interface Trained__Output {
  'appliedStep': (number);
  'stateDigest': (string);
  'lossSum': (number);
  'penaltySum': (number);
  'count': (number);
  'correct': (number);
  'stepsSkipped': (number);
  'seconds': (_thaw_v1_StepSeconds__Output | null);
  'learningRate': (number);
  'frozenIntact': (boolean);
}
