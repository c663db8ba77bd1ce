// Original file: thaw/v1/session.proto

import type { Mistake as _thaw_v1_Mistake, Mistake__Output as _thaw_v1_Mistake__Output } from '../../thaw/v1/Mistake.ts';
import type { Long } from '@grpc/proto-loader';

export interface EvaluatedPart {
  'part'?: (number);
  'lossSum'?: (number | string | Long);
  'count'?: (number | string | Long);
  'confusion'?: (number)[];
  'badSamples'?: (number);
  'confidenceCounts'?: (number)[];
  'confidenceCorrect'?: (number)[];
  'confidenceSums'?: (number | string | Long)[];
  'worstMistakes'?: (_thaw_v1_Mistake)[];
}

export interface EvaluatedPart__Output {
  'part': (number);
  'lossSum': (number);
  'count': (number);
  'confusion': (number)[];
  'badSamples': (number);
  'confidenceCounts': (number)[];
  'confidenceCorrect': (number)[];
  'confidenceSums': (number)[];
  'worstMistakes': (_thaw_v1_Mistake__Output)[];
}
