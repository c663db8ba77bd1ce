// Original file: thaw/v1/session.proto


export interface Halt {
  'reason'?: (string);
}

export interface Halt__Output {
  'reason': (string);
}
