import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BlobsClient as _thaw_v1_BlobsClient, BlobsDefinition as _thaw_v1_BlobsDefinition } from './thaw/v1/Blobs.ts';
import type { FetchChunk as _thaw_v1_FetchChunk, FetchChunk__Output as _thaw_v1_FetchChunk__Output } from './thaw/v1/FetchChunk.ts';
import type { FetchRequest as _thaw_v1_FetchRequest, FetchRequest__Output as _thaw_v1_FetchRequest__Output } from './thaw/v1/FetchRequest.ts';
import type { StoreChunk as _thaw_v1_StoreChunk, StoreChunk__Output as _thaw_v1_StoreChunk__Output } from './thaw/v1/StoreChunk.ts';
import type { StoreReply as _thaw_v1_StoreReply, StoreReply__Output as _thaw_v1_StoreReply__Output } from './thaw/v1/StoreReply.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  thaw: {
    v1: {
      Blobs: SubtypeConstructor<typeof grpc.Client, _thaw_v1_BlobsClient> & { service: _thaw_v1_BlobsDefinition }
      FetchChunk: MessageTypeDefinition<_thaw_v1_FetchChunk, _thaw_v1_FetchChunk__Output>
      FetchRequest: MessageTypeDefinition<_thaw_v1_FetchRequest, _thaw_v1_FetchRequest__Output>
      StoreChunk: MessageTypeDefinition<_thaw_v1_StoreChunk, _thaw_v1_StoreChunk__Output>
      StoreReply: MessageTypeDefinition<_thaw_v1_StoreReply, _thaw_v1_StoreReply__Output>
    }
  }
}

