// Original file: thaw/v1/session.proto


export interface Wait {
  'reason'?: (string);
}

export interface Wait__Output {
  'reason': (string);
}
