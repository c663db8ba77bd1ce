// The service definitions of thaw/v1, read from the .proto files at start. Types come from gen/, made from the same
// files by `npm run generate`. 64-bit fields are JavaScript numbers: every such field stays below 2^53 by its limits.

import { fileURLToPath } from 'node:url';
import { type GrpcObject, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType as BlobsProto } from './gen/blobs.ts';
import type { ProtoGrpcType as JobsProto } from './gen/jobs.ts';
import type { ProtoGrpcType as SessionProto } from './gen/session.ts';

export const protoFiles = ['thaw/v1/session.proto', 'thaw/v1/blobs.proto', 'thaw/v1/jobs.proto'] as const;

/** How messages look in JavaScript; `npm run generate` passes the same options to the type generator. */
export const protoOptions = { longs: Number, bytes: Buffer, defaults: true, oneofs: true, arrays: true } as const;

export type ThawProto = BlobsProto['thaw']['v1'] & JobsProto['thaw']['v1'] & SessionProto['thaw']['v1'];

export function loadThawProto(): ThawProto {
  const root = fileURLToPath(new URL('.', import.meta.url));
  const definition = loadSync([...protoFiles], { ...protoOptions, includeDirs: [root] });
  const loaded = loadPackageDefinition(definition) as GrpcObject & { thaw: { v1: unknown } };
  return loaded.thaw.v1 as ThawProto;
}
