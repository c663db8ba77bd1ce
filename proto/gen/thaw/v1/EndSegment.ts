// Original file: thaw/v1/session.proto


export interface EndSegment {
  'store'?: (boolean);
  'member'?: (number);
}

export interface EndSegment__Output {
  'store': (boolean);
  'member': (number);
}
