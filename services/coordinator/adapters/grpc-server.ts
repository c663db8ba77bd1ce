// One gRPC server with everything that others may ask of the coordinator: Session, Blobs, Jobs and the standard health
// service.

import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { BlobsHandlers } from '@thaw/proto/gen/thaw/v1/Blobs.ts';
import type { JobsHandlers } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import type { SessionHandlers } from '@thaw/proto/gen/thaw/v1/Session.ts';
import { loadThawProto } from '@thaw/proto/load.ts';
import { loadHealthService, servingStatus } from '@thaw/proto/load-health.ts';
import { messageBytesMax } from '@thaw/proto/message-size.ts';

export interface GrpcServices {
  readonly session: SessionHandlers;
  readonly blobs: BlobsHandlers;
  readonly jobs: JobsHandlers;
  readonly healthy: () => boolean;
}

export interface GrpcServer {
  readonly port: number;
  /**
   * Takes no new calls, lets those that are open end by themselves (a watcher reads its last update, a trainer its
   * refusal), and cuts what is still open after closingMilliseconds.
   */
  close(): Promise<void>;
}

/** Those who read end by themselves; a loaded machine may take seconds to let them. */
const closingMilliseconds = 5000;

/** `address`: host:port; port 0 takes a free one. */
export async function startGrpcServer(address: string, services: GrpcServices): Promise<GrpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5000,
  });
  const thaw = loadThawProto();
  server.addService(thaw.Session.service, services.session);
  server.addService(thaw.Blobs.service, services.blobs);
  server.addService(thaw.Jobs.service, services.jobs);
  server.addService(loadHealthService(), healthService(services.healthy));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) return resolve(bound);
      reject(new ThawError('Internal', `cannot listen on ${address}: ${error.message}`, { cause: error }));
    });
  });
  return { port, close: () => shutDown(server) };
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), closingMilliseconds);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

interface HealthResponse {
  readonly status: number;
}

function healthService(healthy: () => boolean): UntypedServiceImplementation {
  const response = (): HealthResponse => ({ status: healthy() ? servingStatus.serving : servingStatus.notServing });
  return {
    Check: (_call: ServerUnaryCall<unknown, HealthResponse>, reply: sendUnaryData<HealthResponse>) =>
      reply(null, response()),
    // The status changes once, when the process ends and the stream with it.
    Watch: (call: ServerWritableStream<unknown, HealthResponse>) => void call.write(response()),
  };
}
