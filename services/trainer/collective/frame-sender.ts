// Sends frames in order, no faster than the socket takes them. Headers and checksums are made just before the write,
// so a payload is read while it is still in the processor's cache and sent from where it lies.

import { encodeHeader, headerBytes } from '@thaw/proto/frames/frame.ts';
import type { GenerationSubjects } from '@thaw/proto/frames/subjects.ts';
import type { NatsClient } from '../nats/nats-client.ts';
import type { OutgoingFrame } from './core/exchange.ts';

export interface FrameIdentity {
  readonly runToken: bigint;
  readonly incarnation: bigint;
  readonly generation: number;
  readonly stage: number;
  readonly source: number;
  readonly subjects: GenerationSubjects;
}

export interface FrameSender {
  send(frame: OutgoingFrame): void;
  /** Goes on after the socket was full. */
  drained(): void;
  /** Bytes of frames given to the socket so far. */
  readonly sentBytes: number;
}

/** The socket gets no more while this much waits in it; what it has is a view of the step's buffers, not a copy. */
const socketBytesMax = 2 * 1024 * 1024;

export function frameSender(client: NatsClient, identity: FrameIdentity): FrameSender {
  const queue: OutgoingFrame[] = [];
  const { subjects, ...self } = identity;
  let sentBytes = 0;
  const pump = (): void => {
    while (client.pendingBytes() < socketBytesMax) {
      const frame = queue.shift();
      if (!frame) return;
      const subject = frame.to === 'everyone' ? subjects.everyone : subjects.member(frame.to);
      const header = encodeHeader({ ...self, ...frame }, frame.payload);
      if (client.publish(subject, [header, frame.payload])) sentBytes += headerBytes + frame.payload.length;
    }
  };
  return {
    send(frame) {
      queue.push(frame);
      pump();
    },
    drained: pump,
    get sentBytes() {
      return sentBytes;
    },
  };
}
