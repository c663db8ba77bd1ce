// Original file: thaw/v1/session.proto


export interface SparseCounts {
  'cells'?: (number)[];
  'counts'?: (number)[];
}

export interface SparseCounts__Output {
  'cells': (number)[];
  'counts': (number)[];
}
