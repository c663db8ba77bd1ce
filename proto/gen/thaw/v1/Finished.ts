// Original file: thaw/v1/session.proto


export interface Finished {
}

export interface Finished__Output {
}
