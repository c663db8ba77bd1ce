// Original file: thaw/v1/session.proto


export interface Finish {
  'outcome'?: (string);
  'reason'?: (string);
}

export interface Finish__Output {
  'outcome': (string);
  'reason': (string);
}
