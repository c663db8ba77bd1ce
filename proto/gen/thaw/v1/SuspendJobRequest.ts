// Original file: thaw/v1/jobs.proto


export interface SuspendJobRequest {
}

export interface SuspendJobRequest__Output {
}
