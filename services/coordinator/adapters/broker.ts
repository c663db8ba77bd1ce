// The connection to nats-server, and when it counts as lost: disconnected for longer than brokerLostMilliseconds.

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export const brokerLostMilliseconds = 5000;

export async function connectBroker(url: string, name: string): Promise<NatsConnection> {
  try {
    return await connect({
      servers: url,
      name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      pingInterval: 2000,
      maxPingOut: 2,
      timeout: 5000,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ThawError('BrokerLost', `cannot reach nats-server at ${url}: ${reason}`, { cause });
  }
}

/** Calls `lost` once, when the connection was down for too long, was closed, or lacks a permission. */
export async function watchBroker(broker: NatsConnection, lost: (message: string) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = (): void => lost(`nats-server cannot be reached for ${brokerLostMilliseconds / 1000} s`);
  for await (const status of broker.status()) {
    if (status.type === 'disconnect' || status.type === 'staleConnection') {
      timer ??= setTimeout(tooLong, brokerLostMilliseconds);
    } else if (status.type === 'reconnect') {
      clearTimeout(timer);
      timer = undefined;
    } else if (status.type === 'error' && status.error.name === 'PermissionViolationError') {
      lost(`nats-server refused a permission: ${status.error.message}`);
    }
  }
  clearTimeout(timer);
}
