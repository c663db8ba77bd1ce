// The compute thread's handle on the comms thread: directives come in, reports and blobs go out. Waiting here never
// blocks the thread, so decoding goes on meanwhile.

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type ErrorCode, errorCatalogue } from '@thaw/common/errors/catalogue.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
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
  /** Whether a directive newer than `revision` has arrived. Cheap: read between micro-batches. */
  superseded(revision: number): boolean;
  send(message: TrainerMessage): void;
  observe(observation: Observation): void;
  fetch(digest: string, options?: { readonly cached: boolean }): Promise<Uint8Array>;
  /** The bytes are moved, not copied: the caller's view is empty afterwards. */
  store(bytes: Uint8Array<ArrayBuffer>): Promise<{ readonly digest: string; readonly bytes: number }>;
  /** Starts the collective in the comms thread and returns the port to speak to it. */
  startCollective(welcome: Welcome__Output): MessagePort;
  close(): Promise<void>;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: ThawError): void;
}

export async function startComms(options: Omit<CommsOptions, 'board' | 'fence'>): Promise<CommsLink> {
  const board = newBoardBuffer();
  const fence = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const workerData: CommsOptions = { ...options, board, fence };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  const inbox = createInbox();
  const started = new Promise<number>((resolve, reject) => {
    worker.on('message', (message: FromComms) => {
      if (message.kind === 'started') resolve(message.metricsPort);
      else inbox.receive(message);
    });
    worker.once('error', (cause) => {
      const error = new ThawError('Internal', `the comms thread failed: ${cause}`, { cause });
      inbox.fail(error);
      reject(error);
    });
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
    superseded: (revision) => Atomics.load(shared.fence, 0) > revision,
    send: (message) => post({ kind: 'send', message }),
    observe: (observation) => post({ kind: 'observe', observation }),
    fetch: (digest, { cached } = { cached: false }) =>
      inbox.request<Uint8Array>((id) => post({ kind: 'fetch', id, digest, cached })),
    store: (bytes) => inbox.request((id) => post({ kind: 'store', id, bytes }, [bytes.buffer])),
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

interface Inbox {
  receive(message: FromComms): void;
  fail(error: ThawError): void;
  welcome(): Promise<Welcome__Output>;
  nextDirective(): Promise<Directive__Output>;
  request<T>(post: (id: number) => void): Promise<T>;
  closed(): Promise<void>;
}

/** Turns messages from the comms thread into promises; after a fatal error every wait rejects with it. */
function createInbox(): Inbox {
  let failure: ThawError | null = null;
  let welcome: Welcome__Output | null = null;
  let directive: Directive__Output | null = null;
  let nextId = 1;
  const welcomeWaiters: Waiter<Welcome__Output>[] = [];
  const directiveWaiters: Waiter<Directive__Output>[] = [];
  const closeWaiters: (() => void)[] = [];
  const requests = new Map<number, Waiter<never>>();

  const fail = (error: ThawError): void => {
    failure = error;
    for (const waiter of [...welcomeWaiters.splice(0), ...directiveWaiters.splice(0), ...requests.values()]) {
      waiter.reject(error);
    }
    requests.clear();
  };
  const wait = <T>(waiters: Waiter<T>[]): Promise<T> =>
    failure ? Promise.reject(failure) : new Promise((resolve, reject) => waiters.push({ resolve, reject }));
  const answer = (id: number): Waiter<never> => {
    const waiter = requests.get(id);
    invariant(waiter !== undefined, `an answer from the comms thread to request ${id}, which nobody made`);
    requests.delete(id);
    return waiter;
  };

  const receive = (message: FromComms): void => {
    switch (message.kind) {
      case 'welcome':
        welcome = message.welcome;
        for (const waiter of welcomeWaiters.splice(0)) waiter.resolve(message.welcome);
        return;
      case 'directive': {
        const waiter = directiveWaiters.shift();
        if (waiter) waiter.resolve(message.directive);
        else directive = message.directive;
        return;
      }
      case 'fetched':
        return answer(message.id).resolve(message.bytes as never);
      case 'stored':
        return answer(message.id).resolve({ digest: message.digest, bytes: message.bytes } as never);
      case 'refused':
        return answer(message.id).reject(typedError(message.code, message.message));
      case 'fatal':
        return fail(typedError(message.code, message.message));
      case 'closed':
        for (const resolve of closeWaiters.splice(0)) resolve();
        return;
      case 'started':
        return;
    }
  };

  return {
    receive,
    fail,
    welcome: () => (welcome ? Promise.resolve(welcome) : wait(welcomeWaiters)),
    nextDirective() {
      const held = directive;
      directive = null;
      return held && !failure ? Promise.resolve(held) : wait(directiveWaiters);
    },
    request<T>(post: (id: number) => void) {
      const id = nextId++;
      return new Promise<T>((resolve, reject) => {
        if (failure) return reject(failure);
        requests.set(id, { resolve, reject } as unknown as Waiter<never>);
        post(id);
      });
    },
    closed: () => new Promise((resolve) => closeWaiters.push(() => resolve())),
  };
}

function typedError(code: string, message: string): ThawError {
  return new ThawError(code in errorCatalogue ? (code as ErrorCode) : 'Internal', message);
}
