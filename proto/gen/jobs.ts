import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { CancelJobRequest as _thaw_v1_CancelJobRequest, CancelJobRequest__Output as _thaw_v1_CancelJobRequest__Output } from './thaw/v1/CancelJobRequest.ts';
import type { GetJobRequest as _thaw_v1_GetJobRequest, GetJobRequest__Output as _thaw_v1_GetJobRequest__Output } from './thaw/v1/GetJobRequest.ts';
import type { JobProgress as _thaw_v1_JobProgress, JobProgress__Output as _thaw_v1_JobProgress__Output } from './thaw/v1/JobProgress.ts';
import type { JobStatus as _thaw_v1_JobStatus, JobStatus__Output as _thaw_v1_JobStatus__Output } from './thaw/v1/JobStatus.ts';
import type { JobUpdate as _thaw_v1_JobUpdate, JobUpdate__Output as _thaw_v1_JobUpdate__Output } from './thaw/v1/JobUpdate.ts';
import type { JobsClient as _thaw_v1_JobsClient, JobsDefinition as _thaw_v1_JobsDefinition } from './thaw/v1/Jobs.ts';
import type { ReportExitRequest as _thaw_v1_ReportExitRequest, ReportExitRequest__Output as _thaw_v1_ReportExitRequest__Output } from './thaw/v1/ReportExitRequest.ts';
import type { ReportExitResponse as _thaw_v1_ReportExitResponse, ReportExitResponse__Output as _thaw_v1_ReportExitResponse__Output } from './thaw/v1/ReportExitResponse.ts';
import type { ResumeJobRequest as _thaw_v1_ResumeJobRequest, ResumeJobRequest__Output as _thaw_v1_ResumeJobRequest__Output } from './thaw/v1/ResumeJobRequest.ts';
import type { ScaleJobRequest as _thaw_v1_ScaleJobRequest, ScaleJobRequest__Output as _thaw_v1_ScaleJobRequest__Output } from './thaw/v1/ScaleJobRequest.ts';
import type { SuspendJobRequest as _thaw_v1_SuspendJobRequest, SuspendJobRequest__Output as _thaw_v1_SuspendJobRequest__Output } from './thaw/v1/SuspendJobRequest.ts';
import type { WatchJobRequest as _thaw_v1_WatchJobRequest, WatchJobRequest__Output as _thaw_v1_WatchJobRequest__Output } from './thaw/v1/WatchJobRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  thaw: {
    v1: {
      CancelJobRequest: MessageTypeDefinition<_thaw_v1_CancelJobRequest, _thaw_v1_CancelJobRequest__Output>
      GetJobRequest: MessageTypeDefinition<_thaw_v1_GetJobRequest, _thaw_v1_GetJobRequest__Output>
      JobProgress: MessageTypeDefinition<_thaw_v1_JobProgress, _thaw_v1_JobProgress__Output>
      JobStatus: MessageTypeDefinition<_thaw_v1_JobStatus, _thaw_v1_JobStatus__Output>
      JobUpdate: MessageTypeDefinition<_thaw_v1_JobUpdate, _thaw_v1_JobUpdate__Output>
      Jobs: SubtypeConstructor<typeof grpc.Client, _thaw_v1_JobsClient> & { service: _thaw_v1_JobsDefinition }
      ReportExitRequest: MessageTypeDefinition<_thaw_v1_ReportExitRequest, _thaw_v1_ReportExitRequest__Output>
      ReportExitResponse: MessageTypeDefinition<_thaw_v1_ReportExitResponse, _thaw_v1_ReportExitResponse__Output>
      ResumeJobRequest: MessageTypeDefinition<_thaw_v1_ResumeJobRequest, _thaw_v1_ResumeJobRequest__Output>
      ScaleJobRequest: MessageTypeDefinition<_thaw_v1_ScaleJobRequest, _thaw_v1_ScaleJobRequest__Output>
      SuspendJobRequest: MessageTypeDefinition<_thaw_v1_SuspendJobRequest, _thaw_v1_SuspendJobRequest__Output>
      WatchJobRequest: MessageTypeDefinition<_thaw_v1_WatchJobRequest, _thaw_v1_WatchJobRequest__Output>
    }
  }
}

