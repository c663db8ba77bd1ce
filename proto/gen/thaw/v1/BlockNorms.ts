// Original file: thaw/v1/session.proto


export interface BlockNorms {
  'block'?: (string);
  'gradient'?: (number | string);
  'weights'?: (number | string);
}

export interface BlockNorms__Output {
  'block': (string);
  'gradient': (number);
  'weights': (number);
}
