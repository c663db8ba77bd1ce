// Original file: thaw/v1/jobs.proto


export interface GetJobRequest {
}

export interface GetJobRequest__Output {
}
