// Original file: thaw/v1/session.proto

import type { Mistake as _thaw_v1_Mistake, Mistake__Output as _thaw_v1_Mistake__Output } from '../../thaw/v1/Mistake.ts';
import type { SparseCounts as _thaw_v1_SparseCounts, SparseCounts__Output as _thaw_v1_SparseCounts__Output } from '../../thaw/v1/SparseCounts.ts';
import type { Long } from '@grpc/proto-loader';

export interface EvaluatedPart {
  'part'?: (number);
  'lossSum'?: (number | string | Long);
  'count'?: (number | string | Long);
  'badSamples'?: (number);
  'confidenceCounts'?: (number)[];
  'confidenceCorrect'?: (number)[];
  'confidenceSums'?: (number | string | Long)[];
  'worstMistakes'?: (_thaw_v1_Mistake)[];
  'confusion'?: (_thaw_v1_SparseCounts | null);
  'topFive'?: (number | string | Long);
  'temperedLossSums'?: (number | string | Long)[];
  'temperedConfidenceCounts'?: (number)[];
  'temperedConfidenceCorrect'?: (number)[];
  'temperedConfidenceSums'?: (number | string | Long)[];
}

export interface EvaluatedPart__Output {
  'part': (number);
  'lossSum': (number);
  'count': (number);
  'badSamples': (number);
  'confidenceCounts': (number)[];
  'confidenceCorrect': (number)[];
  'confidenceSums': (number)[];
  'worstMistakes': (_thaw_v1_Mistake__Output)[];
  'confusion': (_thaw_v1_SparseCounts__Output | null);
  'topFive': (number);
  'temperedLossSums': (number)[];
  'temperedConfidenceCounts': (number)[];
  'temperedConfidenceCorrect': (number)[];
  'temperedConfidenceSums': (number)[];
}
