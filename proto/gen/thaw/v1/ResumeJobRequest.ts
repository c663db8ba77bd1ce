// Original file: thaw/v1/jobs.proto


export interface ResumeJobRequest {
}

export interface ResumeJobRequest__Output {
}
