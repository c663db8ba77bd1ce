// Original file: thaw/v1/session.proto


export interface TakeSnapshot {
  'member'?: (number);
}

export interface TakeSnapshot__Output {
  'member': (number);
}
