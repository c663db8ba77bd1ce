// Original file: thaw/v1/jobs.proto


export interface ScaleJobRequest {
  'replicas'?: (number);
}

export interface ScaleJobRequest__Output {
  'replicas': (number);
}
