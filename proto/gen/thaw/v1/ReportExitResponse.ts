// Original file: thaw/v1/jobs.proto


export interface ReportExitResponse {
}

export interface ReportExitResponse__Output {
}
