// Original file: thaw/v1/session.proto


export interface _thaw_v1_BadSamples_Sample {
  'split'?: (string);
  'id'?: (string);
  'reason'?: (string);
}

export interface _thaw_v1_BadSamples_Sample__Output {
  'split': (string);
  'id': (string);
  'reason': (string);
}

export interface BadSamples {
  'samples'?: (_thaw_v1_BadSamples_Sample)[];
}

export interface BadSamples__Output {
  'samples': (_thaw_v1_BadSamples_Sample__Output)[];
}
