// Original file: thaw/v1/jobs.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelJobRequest as _thaw_v1_CancelJobRequest, CancelJobRequest__Output as _thaw_v1_CancelJobRequest__Output } from '../../thaw/v1/CancelJobRequest.ts';
import type { GetJobRequest as _thaw_v1_GetJobRequest, GetJobRequest__Output as _thaw_v1_GetJobRequest__Output } from '../../thaw/v1/GetJobRequest.ts';
import type { JobStatus as _thaw_v1_JobStatus, JobStatus__Output as _thaw_v1_JobStatus__Output } from '../../thaw/v1/JobStatus.ts';
import type { JobUpdate as _thaw_v1_JobUpdate, JobUpdate__Output as _thaw_v1_JobUpdate__Output } from '../../thaw/v1/JobUpdate.ts';
import type { ReportExitRequest as _thaw_v1_ReportExitRequest, ReportExitRequest__Output as _thaw_v1_ReportExitRequest__Output } from '../../thaw/v1/ReportExitRequest.ts';
import type { ReportExitResponse as _thaw_v1_ReportExitResponse, ReportExitResponse__Output as _thaw_v1_ReportExitResponse__Output } from '../../thaw/v1/ReportExitResponse.ts';
import type { ResumeJobRequest as _thaw_v1_ResumeJobRequest, ResumeJobRequest__Output as _thaw_v1_ResumeJobRequest__Output } from '../../thaw/v1/ResumeJobRequest.ts';
import type { ScaleJobRequest as _thaw_v1_ScaleJobRequest, ScaleJobRequest__Output as _thaw_v1_ScaleJobRequest__Output } from '../../thaw/v1/ScaleJobRequest.ts';
import type { SuspendJobRequest as _thaw_v1_SuspendJobRequest, SuspendJobRequest__Output as _thaw_v1_SuspendJobRequest__Output } from '../../thaw/v1/SuspendJobRequest.ts';
import type { WatchJobRequest as _thaw_v1_WatchJobRequest, WatchJobRequest__Output as _thaw_v1_WatchJobRequest__Output } from '../../thaw/v1/WatchJobRequest.ts';

export interface JobsClient extends grpc.Client {
  Cancel(argument: _thaw_v1_CancelJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Cancel(argument: _thaw_v1_CancelJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Cancel(argument: _thaw_v1_CancelJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Cancel(argument: _thaw_v1_CancelJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  cancel(argument: _thaw_v1_CancelJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  cancel(argument: _thaw_v1_CancelJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  cancel(argument: _thaw_v1_CancelJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  cancel(argument: _thaw_v1_CancelJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  
  Get(argument: _thaw_v1_GetJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Get(argument: _thaw_v1_GetJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Get(argument: _thaw_v1_GetJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Get(argument: _thaw_v1_GetJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _thaw_v1_GetJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _thaw_v1_GetJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _thaw_v1_GetJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _thaw_v1_GetJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  
  ReportExit(argument: _thaw_v1_ReportExitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  ReportExit(argument: _thaw_v1_ReportExitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  ReportExit(argument: _thaw_v1_ReportExitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  ReportExit(argument: _thaw_v1_ReportExitRequest, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  reportExit(argument: _thaw_v1_ReportExitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  reportExit(argument: _thaw_v1_ReportExitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  reportExit(argument: _thaw_v1_ReportExitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  reportExit(argument: _thaw_v1_ReportExitRequest, callback: grpc.requestCallback<_thaw_v1_ReportExitResponse__Output>): grpc.ClientUnaryCall;
  
  Resume(argument: _thaw_v1_ResumeJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Resume(argument: _thaw_v1_ResumeJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Resume(argument: _thaw_v1_ResumeJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Resume(argument: _thaw_v1_ResumeJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  resume(argument: _thaw_v1_ResumeJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  resume(argument: _thaw_v1_ResumeJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  resume(argument: _thaw_v1_ResumeJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  resume(argument: _thaw_v1_ResumeJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  
  Scale(argument: _thaw_v1_ScaleJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Scale(argument: _thaw_v1_ScaleJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Scale(argument: _thaw_v1_ScaleJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Scale(argument: _thaw_v1_ScaleJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  scale(argument: _thaw_v1_ScaleJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  scale(argument: _thaw_v1_ScaleJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  scale(argument: _thaw_v1_ScaleJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  scale(argument: _thaw_v1_ScaleJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  
  Suspend(argument: _thaw_v1_SuspendJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Suspend(argument: _thaw_v1_SuspendJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Suspend(argument: _thaw_v1_SuspendJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  Suspend(argument: _thaw_v1_SuspendJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  suspend(argument: _thaw_v1_SuspendJobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  suspend(argument: _thaw_v1_SuspendJobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  suspend(argument: _thaw_v1_SuspendJobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  suspend(argument: _thaw_v1_SuspendJobRequest, callback: grpc.requestCallback<_thaw_v1_JobStatus__Output>): grpc.ClientUnaryCall;
  
  Watch(argument: _thaw_v1_WatchJobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_JobUpdate__Output>;
  Watch(argument: _thaw_v1_WatchJobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_JobUpdate__Output>;
  watch(argument: _thaw_v1_WatchJobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_JobUpdate__Output>;
  watch(argument: _thaw_v1_WatchJobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_JobUpdate__Output>;
  
}

export interface JobsHandlers extends grpc.UntypedServiceImplementation {
  Cancel: grpc.handleUnaryCall<_thaw_v1_CancelJobRequest__Output, _thaw_v1_JobStatus>;
  
  Get: grpc.handleUnaryCall<_thaw_v1_GetJobRequest__Output, _thaw_v1_JobStatus>;
  
  ReportExit: grpc.handleUnaryCall<_thaw_v1_ReportExitRequest__Output, _thaw_v1_ReportExitResponse>;
  
  Resume: grpc.handleUnaryCall<_thaw_v1_ResumeJobRequest__Output, _thaw_v1_JobStatus>;
  
  Scale: grpc.handleUnaryCall<_thaw_v1_ScaleJobRequest__Output, _thaw_v1_JobStatus>;
  
  Suspend: grpc.handleUnaryCall<_thaw_v1_SuspendJobRequest__Output, _thaw_v1_JobStatus>;
  
  Watch: grpc.handleServerStreamingCall<_thaw_v1_WatchJobRequest__Output, _thaw_v1_JobUpdate>;
  
}

export interface JobsDefinition extends grpc.ServiceDefinition {
  Cancel: MethodDefinition<_thaw_v1_CancelJobRequest, _thaw_v1_JobStatus, _thaw_v1_CancelJobRequest__Output, _thaw_v1_JobStatus__Output>
  Get: MethodDefinition<_thaw_v1_GetJobRequest, _thaw_v1_JobStatus, _thaw_v1_GetJobRequest__Output, _thaw_v1_JobStatus__Output>
  ReportExit: MethodDefinition<_thaw_v1_ReportExitRequest, _thaw_v1_ReportExitResponse, _thaw_v1_ReportExitRequest__Output, _thaw_v1_ReportExitResponse__Output>
  Resume: MethodDefinition<_thaw_v1_ResumeJobRequest, _thaw_v1_JobStatus, _thaw_v1_ResumeJobRequest__Output, _thaw_v1_JobStatus__Output>
  Scale: MethodDefinition<_thaw_v1_ScaleJobRequest, _thaw_v1_JobStatus, _thaw_v1_ScaleJobRequest__Output, _thaw_v1_JobStatus__Output>
  Suspend: MethodDefinition<_thaw_v1_SuspendJobRequest, _thaw_v1_JobStatus, _thaw_v1_SuspendJobRequest__Output, _thaw_v1_JobStatus__Output>
  Watch: MethodDefinition<_thaw_v1_WatchJobRequest, _thaw_v1_JobUpdate, _thaw_v1_WatchJobRequest__Output, _thaw_v1_JobUpdate__Output>
}
