// Original file: thaw/v1/session.proto


export interface Evaluate {
  'stage'?: (number);
  'epoch'?: (number);
  'split'?: (string);
  'partOwners'?: (number)[];
  'restoreDigest'?: (string);
  'temperatures'?: (number | string)[];
}

export interface Evaluate__Output {
  'stage': (number);
  'epoch': (number);
  'split': (string);
  'partOwners': (number)[];
  'restoreDigest': (string);
  'temperatures': (number)[];
}
