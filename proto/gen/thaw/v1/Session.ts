// Original file: thaw/v1/session.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CoordinatorMessage as _thaw_v1_CoordinatorMessage, CoordinatorMessage__Output as _thaw_v1_CoordinatorMessage__Output } from '../../thaw/v1/CoordinatorMessage.ts';
import type { TrainerMessage as _thaw_v1_TrainerMessage, TrainerMessage__Output as _thaw_v1_TrainerMessage__Output } from '../../thaw/v1/TrainerMessage.ts';

export interface SessionClient extends grpc.Client {
  Open(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_thaw_v1_TrainerMessage, _thaw_v1_CoordinatorMessage__Output>;
  Open(options?: grpc.CallOptions): grpc.ClientDuplexStream<_thaw_v1_TrainerMessage, _thaw_v1_CoordinatorMessage__Output>;
  open(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_thaw_v1_TrainerMessage, _thaw_v1_CoordinatorMessage__Output>;
  open(options?: grpc.CallOptions): grpc.ClientDuplexStream<_thaw_v1_TrainerMessage, _thaw_v1_CoordinatorMessage__Output>;
  
}

export interface SessionHandlers extends grpc.UntypedServiceImplementation {
  Open: grpc.handleBidiStreamingCall<_thaw_v1_TrainerMessage__Output, _thaw_v1_CoordinatorMessage>;
  
}

export interface SessionDefinition extends grpc.ServiceDefinition {
  Open: MethodDefinition<_thaw_v1_TrainerMessage, _thaw_v1_CoordinatorMessage, _thaw_v1_TrainerMessage__Output, _thaw_v1_CoordinatorMessage__Output>
}
