// Original file: thaw/v1/blobs.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FetchChunk as _thaw_v1_FetchChunk, FetchChunk__Output as _thaw_v1_FetchChunk__Output } from '../../thaw/v1/FetchChunk.ts';
import type { FetchRequest as _thaw_v1_FetchRequest, FetchRequest__Output as _thaw_v1_FetchRequest__Output } from '../../thaw/v1/FetchRequest.ts';
import type { StoreChunk as _thaw_v1_StoreChunk, StoreChunk__Output as _thaw_v1_StoreChunk__Output } from '../../thaw/v1/StoreChunk.ts';
import type { StoreReply as _thaw_v1_StoreReply, StoreReply__Output as _thaw_v1_StoreReply__Output } from '../../thaw/v1/StoreReply.ts';

export interface BlobsClient extends grpc.Client {
  Fetch(argument: _thaw_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_FetchChunk__Output>;
  Fetch(argument: _thaw_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_FetchChunk__Output>;
  fetch(argument: _thaw_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_FetchChunk__Output>;
  fetch(argument: _thaw_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_thaw_v1_FetchChunk__Output>;
  
  Store(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  Store(metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  Store(options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  Store(callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  store(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  store(metadata: grpc.Metadata, callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  store(options: grpc.CallOptions, callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  store(callback: grpc.requestCallback<_thaw_v1_StoreReply__Output>): grpc.ClientWritableStream<_thaw_v1_StoreChunk>;
  
}

export interface BlobsHandlers extends grpc.UntypedServiceImplementation {
  Fetch: grpc.handleServerStreamingCall<_thaw_v1_FetchRequest__Output, _thaw_v1_FetchChunk>;
  
  Store: grpc.handleClientStreamingCall<_thaw_v1_StoreChunk__Output, _thaw_v1_StoreReply>;
  
}

export interface BlobsDefinition extends grpc.ServiceDefinition {
  Fetch: MethodDefinition<_thaw_v1_FetchRequest, _thaw_v1_FetchChunk, _thaw_v1_FetchRequest__Output, _thaw_v1_FetchChunk__Output>
  Store: MethodDefinition<_thaw_v1_StoreChunk, _thaw_v1_StoreReply, _thaw_v1_StoreChunk__Output, _thaw_v1_StoreReply__Output>
}
