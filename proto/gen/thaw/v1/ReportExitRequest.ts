// Original file: thaw/v1/jobs.proto


export interface ReportExitRequest {
  'name'?: (string);
  'pid'?: (number);
  'reason'?: (string);
}

export interface ReportExitRequest__Output {
  'name': (string);
  'pid': (number);
  'reason': (string);
}
