// Reads the NATS protocol from a socket with as few copies as possible: lines go through a small scratch buffer, and
// the kernel writes most of each large payload straight to where the subscriber sees it, aligned to 8 bytes.
// The caller asks where the next bytes shall go, fills in some, and says how many.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export interface ReaderEvents {
  /** One control line without its end: INFO, PING, PONG, +OK, -ERR. */
  line(line: string): void;
  /** The payload is valid only during the call. */
  message(subscription: number, payload: Uint8Array): void;
}

export interface MessageReader {
  /** Where the next bytes go. */
  nextBuffer(): Uint8Array;
  /** This many bytes were written to the buffer given last. */
  received(bytes: number): void;
}

const scratchBytes = 16 * 1024;
const lineBytesMax = 64 * 1024;
/** Below this much missing, a payload's rest is read through the scratch buffer together with what follows. */
const directBytesMin = 8 * 1024;
const lineFeed = 10;
const lineEndBytes = 2;

export function messageReader(payloadBytesMax: number, events: ReaderEvents): MessageReader {
  const scratch = Buffer.from(new ArrayBuffer(scratchBytes));
  const payload = Buffer.from(new ArrayBuffer(payloadBytesMax + lineEndBytes));
  let line = '';
  let subscription = 0;
  /** Bytes of the payload under way, its line end included; 0 while a line is read. */
  let wanted = 0;
  let filled = 0;
  let isDirect = false;

  const startMessage = (header: string): void => {
    const fields = header.split(' ');
    const size = Number(fields.at(-1));
    subscription = Number(fields[2]);
    if (!Number.isInteger(size) || size > payloadBytesMax) {
      throw new ThawError('BrokerLost', `the broker sent "${header.slice(0, 80)}"; payloads end at ${payloadBytesMax}`);
    }
    wanted = size + lineEndBytes;
    filled = 0;
  };
  const endMessage = (): void => {
    const size = wanted - lineEndBytes;
    wanted = 0;
    events.message(subscription, new Uint8Array(payload.buffer, 0, size));
  };
  const endLine = (): void => {
    const whole = line.trimEnd();
    line = '';
    if (whole.startsWith('MSG ')) startMessage(whole);
    else if (whole !== '') events.line(whole);
  };
  const readPayload = (bytes: Buffer): number => {
    const taken = Math.min(wanted - filled, bytes.length);
    bytes.copy(payload, filled, 0, taken);
    filled += taken;
    if (filled === wanted) endMessage();
    return taken;
  };
  const readLine = (bytes: Buffer): number => {
    const end = bytes.indexOf(lineFeed);
    const taken = end < 0 ? bytes.length : end + 1;
    line += bytes.toString('latin1', 0, taken);
    if (line.length > lineBytesMax)
      throw new ThawError('BrokerLost', `the broker sent a line over ${lineBytesMax} bytes`);
    if (end >= 0) endLine();
    return taken;
  };

  return {
    nextBuffer() {
      isDirect = wanted - filled >= directBytesMin;
      return isDirect ? payload.subarray(filled, wanted) : scratch;
    },
    received(bytes) {
      if (isDirect) {
        filled += bytes;
        if (filled === wanted) endMessage();
        return;
      }
      for (let at = 0; at < bytes; ) {
        const rest = scratch.subarray(at, bytes);
        at += wanted > 0 ? readPayload(rest) : readLine(rest);
      }
    },
  };
}
