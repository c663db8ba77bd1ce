// Every process serves its metrics: /metrics in Prometheus' text form and /healthz, on a port of its own choosing.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  readonly registry: Registry;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Why the process cannot work, in words; null while it can. */
  readonly unhealthy?: () => string | null;
}

/** Node's own figures (memory, event loop, collections) are in it from the start, as thaw_process_… and thaw_nodejs_…. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'thaw_' });
  return registry;
}

export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { registry, host = '127.0.0.1', port = 0, unhealthy = () => null } = options;
  const server = createServer(async (request, response) => {
    const answer = (code: number, body: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(code, { 'content-type': type }).end(body);
    if (request.url === '/metrics') {
      answer(200, await registry.metrics(), registry.contentType);
    } else if (request.url === '/healthz') {
      const reason = unhealthy();
      answer(reason === null ? 200 : 503, `${reason ?? 'ok'}\n`);
    } else {
      answer(404, 'found nothing here; there are /metrics and /healthz\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // A scrape must never keep a process alive.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
