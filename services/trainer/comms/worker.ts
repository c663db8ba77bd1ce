// The comms thread of a trainer: session, heartbeats, blobs, metrics and the collective's NATS side live here, so that
// they go on while the compute thread computes. Everything is wired in this file and decided elsewhere.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { invariant, ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { createLogger } from '@thaw/common/log/logger.ts';
import { createRegistry, startMetricsServer } from '@thaw/common/metrics/metrics-server.ts';
import { digestInSlices, fetchBlob, storeBlob } from '@thaw/proto/client/blob-client.ts';
import { connectBlobs, connectSession } from '@thaw/proto/client/connect.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import { startCollectiveHost } from '../collective/host.ts';
import { trainerMetrics } from '../metrics.ts';
import { blobCache } from './blob-cache.ts';
import type { CommsOptions, FromComms, ToComms } from './messages.ts';
import { progressBoard } from './progress-board.ts';
import { createSession } from './session.ts';
import { keepSessionOpen } from './session-stream.ts';

const heartbeatMilliseconds = 1000;

const options = workerData as CommsOptions;
invariant(parentPort !== null, 'worker.ts runs in a worker thread only');
const compute: MessagePort = parentPort;
const log = createLogger({ name: `${options.name}/comms`, file: options.logFile });
const board = progressBoard(options.board);
const fence = new Int32Array(options.fence);
const registry = createRegistry();
const metrics = trainerMetrics(registry, board);
const blobs = connectBlobs(options.coordinator);
const cache = blobCache(`${options.cacheDirectory}/blobs`);
const tell = (message: FromComms, transfer: ArrayBuffer[] = []): void => compute.postMessage(message, transfer);
const fail = ({ code, message }: ThawError): void => {
  log.error({ code }, message);
  tell({ kind: 'fatal', code, message });
};

let waitingFor = '';
let closeCollective = (): Promise<void> => Promise.resolve();

const session = createSession(
  { incarnation: options.incarnation, name: options.name, pid: process.pid },
  {
    welcome: (welcome) => tell({ kind: 'welcome', welcome }),
    directive(directive) {
      log.info({ term: directive.term, revision: directive.revision, work: directive.work }, 'directive');
      Atomics.store(fence, 0, directive.revision);
      tell({ kind: 'directive', directive });
    },
    plan(plan) {
      log.info({ term: plan.term, number: plan.number, change: plan.change }, 'plan');
      tell({ kind: 'plan', plan });
    },
    fatal: fail,
  },
);
const stream = keepSessionOpen(connectSession(options.coordinator), session, {
  lost(reason) {
    log.warn({ reason }, 'the session to the coordinator broke; trying again');
  },
  givenUp(seconds, reason) {
    const message = `the coordinator at ${options.coordinator} was not reachable for ${seconds} s: ${reason}`;
    fail(new ThawError('CoordinatorLost', message));
  },
});

const heartbeats = setInterval(() => {
  if (session.connected()) session.send({ heartbeat: heartbeat() });
}, heartbeatMilliseconds);

function heartbeat() {
  return {
    generation: board.get('generation'),
    step: board.get('step'),
    phase: board.phase(),
    ticks: board.get('ticks'),
    waitingFor,
    loss: board.get('loss'),
    accuracy: board.get('accuracy'),
    learningRate: board.get('learningRate'),
    gradientNorm: board.get('gradientNorm'),
    samplesPerSecond: board.get('samplesPerSecond'),
    stepSeconds: board.get('stepSeconds'),
    done: board.get('done'),
    total: board.get('total'),
  };
}

async function fetch(digest: string, cached: boolean): Promise<Uint8Array> {
  const held = cached ? await cache.read(digest) : null;
  if (held) return held;
  const start = performance.now();
  const bytes = await fetchBlob(blobs, digest);
  metrics.fetched(bytes.length, (performance.now() - start) / 1000);
  if (cached) await cache.write(digest, bytes);
  return bytes;
}

function startCollective(port: MessagePort, welcome: Welcome__Output): void {
  startCollectiveHost(port, {
    natsUrl: welcome.natsUrl,
    uid: welcome.uid,
    runToken: welcome.runToken,
    incarnation: options.incarnation,
    name: options.name,
    onWaiting: (who: string) => {
      waitingFor = who;
    },
    onRefused: (reason: string, count: number) => metrics.framesRefused(reason, count),
  }).then(
    (host) => {
      closeCollective = () => host.close();
    },
    (thrown: unknown) => fail(toThawError(thrown, 'BrokerLost')),
  );
}

/** Answers a request with its result, or with why there is none. */
function answer(id: number, work: Promise<FromComms>): void {
  work.then(
    (message) => tell(message),
    (thrown: unknown) => {
      const { code, message } = toThawError(thrown);
      tell({ kind: 'refused', id, code, message });
    },
  );
}

async function close(): Promise<void> {
  clearInterval(heartbeats);
  await closeCollective();
  await stream.close();
  blobs.close();
  tell({ kind: 'closed' });
}

compute.on('message', (message: ToComms) => {
  switch (message.kind) {
    case 'send':
      session.send(message.message);
      return;
    case 'startCollective':
      startCollective(message.port, message.welcome);
      return;
    case 'fetch': {
      const { id } = message;
      answer(
        id,
        fetch(message.digest, message.cached).then((bytes) => ({ kind: 'fetched', id, bytes })),
      );
      return;
    }
    case 'store': {
      const { id, bytes, keep } = message;
      const stored = keep ? storeBlob(blobs, bytes) : digestInSlices(bytes);
      answer(
        id,
        stored.then((blob) => ({ kind: 'stored', id, ...blob })),
      );
      return;
    }
    case 'observe':
      metrics.observe(message.observation);
      return;
    case 'close':
      void close();
      return;
  }
});

const server = await startMetricsServer({ registry });
tell({ kind: 'started', metricsPort: server.port });
