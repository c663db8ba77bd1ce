// Original file: thaw/v1/session.proto


export interface FeatureChoice {
  'level'?: (string);
  'reads'?: (boolean);
  'otherBits'?: (boolean);
  'readSeconds'?: (number | string);
  'computeSeconds'?: (number | string);
}

export interface FeatureChoice__Output {
  'level': (string);
  'reads': (boolean);
  'otherBits': (boolean);
  'readSeconds': (number);
  'computeSeconds': (number);
}
