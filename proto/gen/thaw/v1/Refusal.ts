// Original file: thaw/v1/session.proto


export interface Refusal {
  'code'?: (string);
  'message'?: (string);
}

export interface Refusal__Output {
  'code': (string);
  'message': (string);
}
