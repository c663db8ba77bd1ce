// One TCP connection that speaks the NATS client protocol, from INFO to its end. It never reconnects.

import net from 'node:net';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { messageReader } from './message-reader.ts';
import type { ServerAddress } from './server-address.ts';

export interface ConnectionEvents {
  readonly name: string;
  onMessage(subscription: number, payload: Uint8Array): void;
  onDrain(): void;
  /** Called at most once, and only after connectOnce has resolved. data.fatal: trying again cannot help. */
  onLost(error: ThawError): void;
}

export interface Connection {
  readonly maxPayload: number;
  pendingBytes(): number;
  send(line: string): void;
  publish(subject: string, parts: readonly Uint8Array[]): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Waiter {
  resolve(): void;
  reject(error: ThawError): void;
}

const connectMilliseconds = 2000;
/** A peer that answers nothing for two of these is gone. */
const pingMilliseconds = 2000;
/** nats-server's own default; a payload above what INFO says is refused before it is sent. */
const readBytesMax = 1024 * 1024;
const lineEnd = Buffer.from('\r\n');
const noReply = (): void => {};

/** Resolves when the broker has taken CONNECT and answered a first PING. */
export function connectOnce(address: ServerAddress, events: ConnectionEvents): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const pongs: Waiter[] = [];
    let maxPayload = readBytesMax;
    let ended = false;
    let isUp = false;
    let lastError: ThawError | null = null;

    const end = (error: ThawError): void => {
      if (ended) return;
      ended = true;
      clearInterval(pings);
      clearTimeout(deadline);
      socket.destroy();
      const reason = lastError ?? error;
      for (const waiter of pongs.splice(0)) waiter.reject(reason);
      if (isUp) events.onLost(reason);
      else reject(reason);
    };
    const flush = (): Promise<void> =>
      new Promise((resolvePong, rejectPong) => {
        if (ended) return rejectPong(new ThawError('BrokerLost', 'the connection to NATS is closed'));
        pongs.push({ resolve: resolvePong, reject: rejectPong });
        socket.write('PING\r\n');
      });
    const connection = (): Connection => ({
      maxPayload,
      pendingBytes: () => socket.writableLength,
      send: (line) => void socket.write(line),
      publish(subject, parts) {
        const bytes = parts.reduce((total, part) => total + part.length, 0);
        if (bytes > maxPayload) {
          throw new ThawError(
            'BrokerLost',
            `a message of ${bytes} bytes; this broker takes ${maxPayload} (max_payload)`,
          );
        }
        socket.cork();
        socket.write(`PUB ${subject} ${bytes}\r\n`, 'latin1');
        for (const part of parts) socket.write(part);
        socket.write(lineEnd);
        socket.uncork();
      },
      flush,
      async close() {
        if (ended) return;
        await flush().catch(noReply);
        ended = true;
        clearInterval(pings);
        socket.destroy();
      },
    });
    const onInfo = (json: string): void => {
      const info = JSON.parse(json) as { max_payload?: number };
      maxPayload = Math.min(info.max_payload ?? readBytesMax, readBytesMax);
      if (isUp) return;
      const hello = { verbose: false, pedantic: false, echo: false, lang: 'thaw', version: '1', protocol: 1 };
      socket.write(`CONNECT ${JSON.stringify({ ...hello, name: events.name, ...address.credentials })}\r\n`);
      flush().then(() => {
        isUp = true;
        clearTimeout(deadline);
        resolve(connection());
      }, noReply);
    };
    const onLine = (line: string): void => {
      if (line === 'PING') socket.write('PONG\r\n');
      else if (line === 'PONG') pongs.shift()?.resolve();
      else if (line.startsWith('INFO ')) onInfo(line.slice(5));
      else if (line.startsWith('-ERR')) refused(line);
    };
    const refused = (line: string): void => {
      const fatal = /authori[sz]ation|permissions|authentication/i.test(line);
      lastError = new ThawError('BrokerLost', `the broker says ${line}`, { data: { fatal } });
      if (fatal) end(lastError);
    };
    const reader = messageReader(readBytesMax, { line: onLine, message: events.onMessage });
    const socket = net.connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      onread: {
        buffer: () => reader.nextBuffer(),
        callback(bytes) {
          try {
            reader.received(bytes);
          } catch (thrown) {
            end(thrown instanceof ThawError ? thrown : new ThawError('Internal', String(thrown), { cause: thrown }));
          }
          return !ended;
        },
      },
    });
    const deadline = setTimeout(
      () => end(new ThawError('BrokerLost', `no answer within ${connectMilliseconds} ms`)),
      connectMilliseconds,
    );
    const pings = setInterval(() => {
      if (!isUp) return;
      if (pongs.length >= 2) end(new ThawError('BrokerLost', `no answer to a ping for ${2 * pingMilliseconds} ms`));
      else flush().catch(noReply);
    }, pingMilliseconds);
    pings.unref();
    socket.on('error', (cause) => end(new ThawError('BrokerLost', cause.message, { cause })));
    socket.on('close', () => end(new ThawError('BrokerLost', 'the broker closed the connection')));
    socket.on('drain', () => events.onDrain());
  });
}
