// Control streams of trainers. A stream belongs to the incarnation that its hello names; a newer stream of the same
// incarnation replaces it. Everything a trainer says goes to `handlers`, nothing is decided here.

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { CoordinatorMessage } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { SessionHandlers as SessionServiceHandlers } from '@thaw/proto/gen/thaw/v1/Session.ts';
import type { TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Sessions } from '../runtime/ports.ts';

export interface SessionHandlers {
  message(from: string, message: TrainerMessage__Output): void;
  closed(from: string): void;
}

export interface SessionService extends Sessions {
  readonly service: SessionServiceHandlers;
}

type Stream = ServerDuplexStream<TrainerMessage__Output, CoordinatorMessage>;

const incarnationForm = /^[0-9a-f]{16}$/;

export function createSessionService(handlers: SessionHandlers): SessionService {
  const streams = new Map<string, Stream>();
  const all = new Set<Stream>();

  const open = (stream: Stream): void => {
    let from: string | null = null;
    all.add(stream);
    stream.on('data', (message: TrainerMessage__Output) => {
      if (from === null) {
        const incarnation = message.hello?.incarnation ?? '';
        if (!incarnationForm.test(incarnation)) {
          const found = message.body ?? 'nothing';
          refuse(
            stream,
            'ProtocolViolation',
            `found ${found} ("${incarnation}") first; expected a hello with 16 hex digits`,
          );
          return;
        }
        from = incarnation;
        streams.get(incarnation)?.end();
        streams.set(incarnation, stream);
      }
      handlers.message(from, message);
    });
    const ended = (): void => {
      all.delete(stream);
      if (from === null || streams.get(from) !== stream) return;
      streams.delete(from);
      handlers.closed(from);
    };
    stream.on('end', () => {
      stream.end();
      ended();
    });
    stream.on('error', ended);
    stream.on('close', ended);
    stream.on('cancelled', ended);
  };

  return {
    service: { Open: open },
    send(to, message) {
      streams.get(to)?.write(message);
    },
    refuse(to, code, message) {
      const stream = streams.get(to);
      if (stream) refuse(stream, code, message);
    },
    disconnect(to) {
      streams.get(to)?.end();
    },
    open: () => all.size,
    closeAll() {
      for (const stream of all) stream.end();
    },
  };
}

function refuse(stream: Stream, code: string, message: string): void {
  stream.write({ refusal: { code, message } });
  stream.end();
}
