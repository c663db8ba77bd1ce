// Original file: thaw/v1/jobs.proto


export interface CancelJobRequest {
  'reason'?: (string);
}

export interface CancelJobRequest__Output {
  'reason': (string);
}
