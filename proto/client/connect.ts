// gRPC clients of a coordinator. Messages may be large (blobs come in chunks, but the report of an evaluation does not), the
// flow-control window is wide enough for bulk pulls, and a lost connection is tried again within a second. Nothing is
// sent before the first call.

import { type ChannelOptions, credentials } from '@grpc/grpc-js';
import type { BlobsClient } from '../gen/thaw/v1/Blobs.ts';
import type { JobsClient } from '../gen/thaw/v1/Jobs.ts';
import type { SessionClient } from '../gen/thaw/v1/Session.ts';
import { loadThawProto, type ThawProto } from '../load.ts';
import { messageBytesMax } from '../message-size.ts';

const windowBytes = 4 * 1024 * 1024;

/** Calls of one client to one address share a connection, and so do clients made with these options. */
export const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  'grpc-node.flow_control_window': windowBytes,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // Notices a peer that is gone without a word: a stopped process, a cut cable.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  // A proxy named in the environment is not for traffic between our own processes.
  'grpc.enable_http_proxy': 0,
};

let loaded: ThawProto | undefined;

function thawProto(): ThawProto {
  loaded ??= loadThawProto();
  return loaded;
}

/** `client.open()` is the bidirectional control stream. `address`: host:port. */
export function connectSession(address: string): SessionClient {
  return new (thawProto().Session)(address, credentials.createInsecure(), channelOptions);
}

export function connectBlobs(address: string): BlobsClient {
  return new (thawProto().Blobs)(address, credentials.createInsecure(), channelOptions);
}

export function connectJobs(address: string): JobsClient {
  return new (thawProto().Jobs)(address, credentials.createInsecure(), channelOptions);
}
