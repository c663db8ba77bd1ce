// Original file: thaw/v1/session.proto

import type { Trained as _thaw_v1_Trained, Trained__Output as _thaw_v1_Trained__Output } from '../../thaw/v1/Trained.ts';
import type { Evaluated as _thaw_v1_Evaluated, Evaluated__Output as _thaw_v1_Evaluated__Output } from '../../thaw/v1/Evaluated.ts';
import type { Stored as _thaw_v1_Stored, Stored__Output as _thaw_v1_Stored__Output } from '../../thaw/v1/Stored.ts';
import type { Finished as _thaw_v1_Finished, Finished__Output as _thaw_v1_Finished__Output } from '../../thaw/v1/Finished.ts';
import type { FeatureWork as _thaw_v1_FeatureWork, FeatureWork__Output as _thaw_v1_FeatureWork__Output } from '../../thaw/v1/FeatureWork.ts';
import type { Ranked as _thaw_v1_Ranked, Ranked__Output as _thaw_v1_Ranked__Output } from '../../thaw/v1/Ranked.ts';
import type { Halted as _thaw_v1_Halted, Halted__Output as _thaw_v1_Halted__Output } from '../../thaw/v1/Halted.ts';
import type { Long } from '@grpc/proto-loader';

export interface Report {
  'term'?: (number | string | Long);
  'revision'?: (number | string | Long);
  'trained'?: (_thaw_v1_Trained | null);
  'evaluated'?: (_thaw_v1_Evaluated | null);
  'stored'?: (_thaw_v1_Stored | null);
  'finished'?: (_thaw_v1_Finished | null);
  'features'?: (_thaw_v1_FeatureWork | null);
  'ranked'?: (_thaw_v1_Ranked | null);
  'halted'?: (_thaw_v1_Halted | null);
  'result'?: "trained"|"evaluated"|"stored"|"finished"|"ranked"|"halted";
}

export interface Report__Output {
  'term': (number);
  'revision': (number);
  'trained'?: (_thaw_v1_Trained__Output | null);
  'evaluated'?: (_thaw_v1_Evaluated__Output | null);
  'stored'?: (_thaw_v1_Stored__Output | null);
  'finished'?: (_thaw_v1_Finished__Output | null);
  'features': (_thaw_v1_FeatureWork__Output | null);
  'ranked'?: (_thaw_v1_Ranked__Output | null);
  'halted'?: (_thaw_v1_Halted__Output | null);
  'result'?: "trained"|"evaluated"|"stored"|"finished"|"ranked"|"halted";
}
