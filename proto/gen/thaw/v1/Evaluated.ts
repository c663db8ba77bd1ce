// Original file: thaw/v1/session.proto

import type { EvaluatedPart as _thaw_v1_EvaluatedPart, EvaluatedPart__Output as _thaw_v1_EvaluatedPart__Output } from '../../thaw/v1/EvaluatedPart.ts';

export interface Evaluated {
  'parts'?: (_thaw_v1_EvaluatedPart)[];
}

export interface Evaluated__Output {
  'parts': (_thaw_v1_EvaluatedPart__Output)[];
}
