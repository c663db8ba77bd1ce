// Original file: thaw/v1/session.proto

import type { EvaluatedPart as _thaw_v1_EvaluatedPart, EvaluatedPart__Output as _thaw_v1_EvaluatedPart__Output } from '../../thaw/v1/EvaluatedPart.ts';
import type { SparseCounts as _thaw_v1_SparseCounts, SparseCounts__Output as _thaw_v1_SparseCounts__Output } from '../../thaw/v1/SparseCounts.ts';

export interface Evaluated {
  'parts'?: (_thaw_v1_EvaluatedPart)[];
  'positiveScores'?: (_thaw_v1_SparseCounts | null);
  'negativeScores'?: (_thaw_v1_SparseCounts | null);
}

export interface Evaluated__Output {
  'parts': (_thaw_v1_EvaluatedPart__Output)[];
  'positiveScores': (_thaw_v1_SparseCounts__Output | null);
  'negativeScores': (_thaw_v1_SparseCounts__Output | null);
}
