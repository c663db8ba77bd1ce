// Original file: thaw/v1/session.proto


export interface Mistake {
  'sample'?: (number);
  'truth'?: (number);
  'prediction'?: (number);
  'probability'?: (number | string);
}

export interface Mistake__Output {
  'sample': (number);
  'truth': (number);
  'prediction': (number);
  'probability': (number);
}
