// nats://[token@ | user:password@]host[:port], as the coordinator hands it out.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** Fields for CONNECT. */
  readonly credentials: { readonly auth_token: string } | { readonly user: string; readonly pass: string } | object;
}

const defaultPort = 4222;

export function parseServerAddress(url: string): ServerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol !== 'nats:' || parsed.hostname === '') {
    throw new ThawError('BrokerLost', `the NATS address is not of the form nats://[user:password@]host[:port]`);
  }
  const user = decodeURIComponent(parsed.username);
  const pass = decodeURIComponent(parsed.password);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(parsed.port) || defaultPort, credentials: credentialsOf(user, pass) };
}

function credentialsOf(user: string, pass: string): ServerAddress['credentials'] {
  if (user === '') return {};
  return pass === '' ? { auth_token: user } : { user, pass };
}
