// Original file: thaw/v1/jobs.proto


export interface WatchJobRequest {
}

export interface WatchJobRequest__Output {
}
