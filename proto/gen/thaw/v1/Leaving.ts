// Original file: thaw/v1/session.proto


export interface Leaving {
  'reason'?: (string);
}

export interface Leaving__Output {
  'reason': (string);
}
