// The standard gRPC health service, read from its .proto file at start.

import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export const servingStatus = { serving: 1, notServing: 2 } as const;

export function loadHealthService(): ServiceDefinition {
  const root = fileURLToPath(new URL('.', import.meta.url));
  const definition = loadSync('grpc/health/v1/health.proto', { includeDirs: [root], defaults: true });
  const loaded = loadPackageDefinition(definition) as unknown as {
    grpc: { health: { v1: { Health: { service: ServiceDefinition } } } };
  };
  return loaded.grpc.health.v1.Health.service;
}
