// The compute thread's handle on the comms thread: directives come in, reports and blobs go out. Waiting here never
// blocks the thread, so decoding goes on meanwhile.

import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { startThread } from '@thaw/common/threads/start-thread.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Plan__Output } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import { createInbox, type Inbox, Superseded } from './inbox.ts';
import type { CommsOptions, FromComms, Observation, ToComms } from './messages.ts';
import { newBoardBuffer, type ProgressBoard, progressBoard } from './progress-board.ts';

export interface CommsLink {
  readonly board: ProgressBoard;
  /** Port that this process serves /metrics on. */
  readonly metricsPort: number;
  /** Resolves when the coordinator has accepted this trainer. */
  welcome(): Promise<Welcome__Output>;
  /** The newest directive not taken yet; older ones that nobody took are skipped, as levels are. */
  nextDirective(): Promise<Directive__Output>;
  /** The newest plan that has come; null before the first one. */
  plan(): Plan__Output | null;
  /** Throws Superseded when a directive newer than `revision` has arrived, or the fatal error. Cheap: one atomic read. */
  check(revision: number): void;
  /** An error of work that nobody waits for: from now on it is the fatal error, unless there was one before. */
  fail(error: ThawError): void;
  /** Settles as `work` does, unless a newer directive or a fatal error comes first. One at a time. */
  interruptible<T>(work: Promise<T>): Promise<T>;
  send(message: TrainerMessage): void;
  observe(observation: Observation): void;
  fetch(digest: string, options?: { readonly cached: boolean }): Promise<Uint8Array>;
  /** The bytes are moved, not copied: the caller's view is empty afterwards. */
  store(bytes: Uint8Array<ArrayBuffer>): Promise<Blob>;
  /** The digest of what would be stored; the bytes are moved too. */
  digest(bytes: Uint8Array<ArrayBuffer>): Promise<Blob>;
  /** Starts the collective in the comms thread and returns the port to speak to it. */
  startCollective(welcome: Welcome__Output): MessagePort;
  close(): Promise<void>;
}

export interface Blob {
  readonly digest: string;
  readonly bytes: number;
}

export async function startComms(options: Omit<CommsOptions, 'board' | 'fence'>): Promise<CommsLink> {
  const board = newBoardBuffer();
  const fence = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const workerData: CommsOptions = { ...options, board, fence };
  const worker = startThread(new URL('./worker.ts', import.meta.url), { workerData });
  const inbox = createInbox();
  const started = new Promise<number>((resolve, reject) => {
    worker.on('message', (message: FromComms) => {
      if (message.kind === 'started') resolve(message.metricsPort);
      else inbox.receive(message);
    });
    const ended = (how: string, cause?: unknown): void => {
      const error = new ThawError('Internal', `the comms thread ${how}`, { cause });
      inbox.ended(error);
      reject(error);
    };
    worker.once('error', (cause) => ended(`failed: ${cause}`, cause));
    worker.once('exit', (code) => ended(`ended with exit code ${code}`));
  });
  const metricsPort = await started;
  return linkOver(worker, inbox, { board: progressBoard(board), fence: new Int32Array(fence), metricsPort });
}

interface Shared {
  readonly board: ProgressBoard;
  readonly fence: Int32Array;
  readonly metricsPort: number;
}

function linkOver(worker: Worker, inbox: Inbox, shared: Shared): CommsLink {
  const post = (message: ToComms, transfer: (ArrayBuffer | MessagePort)[] = []) =>
    worker.postMessage(message, transfer);
  return {
    board: shared.board,
    metricsPort: shared.metricsPort,
    welcome: () => inbox.welcome(),
    nextDirective: () => inbox.nextDirective(),
    plan: () => inbox.plan(),
    check(revision) {
      inbox.check();
      if (Atomics.load(shared.fence, 0) > revision) throw new Superseded();
    },
    fail: (error) => inbox.fail(error),
    interruptible: (work) => inbox.interruptible(work),
    send: (message) => post({ kind: 'send', message }),
    observe: (observation) => post({ kind: 'observe', observation }),
    fetch: (digest, { cached } = { cached: false }) =>
      inbox.request<Uint8Array>((id) => post({ kind: 'fetch', id, digest, cached })),
    store: (bytes) => inbox.request((id) => post({ kind: 'store', id, bytes, keep: true }, [bytes.buffer])),
    digest: (bytes) => inbox.request((id) => post({ kind: 'store', id, bytes, keep: false }, [bytes.buffer])),
    startCollective(welcome) {
      const { port1, port2 } = new MessageChannel();
      post({ kind: 'startCollective', port: port2, welcome }, [port2]);
      return port1;
    },
    async close() {
      post({ kind: 'close' });
      await inbox.closed();
      await worker.terminate();
    },
  };
}
