// A comms thread with nothing in it but the collective, for tests and benchmarks of the real thing.

import { MessageChannel, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { startThread } from '@thaw/common/threads/start-thread.ts';
import { collectiveClient } from '@thaw/trainer/collective/client.ts';
import type { Collective } from '@thaw/trainer/collective/collective.ts';
import { type CollectiveHostOptions, startCollectiveHost } from '@thaw/trainer/collective/host.ts';

type PlainOptions = Omit<CollectiveHostOptions, 'onWaiting' | 'onRefused'>;

interface CollectiveThreadData {
  readonly collectiveThread: PlainOptions;
  readonly port: MessagePort;
}

export type CollectiveNotice =
  | { readonly kind: 'waiting'; readonly who: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly count: number }
  | { readonly kind: 'closed' };

export interface CollectiveThread {
  readonly collective: Collective;
  close(): Promise<void>;
}

export function startCollectiveThread(
  options: PlainOptions,
  onNotice: (notice: CollectiveNotice) => void = () => {},
): CollectiveThread {
  const { port1, port2 } = new MessageChannel();
  const data: CollectiveThreadData = { collectiveThread: options, port: port2 };
  const worker = startThread(new URL(import.meta.url), { workerData: data, transferList: [port2] });
  const closed = new Promise<void>((resolve) => {
    worker.on('message', (notice: CollectiveNotice) => {
      if (notice.kind === 'closed') resolve();
      else onNotice(notice);
    });
    worker.once('exit', () => resolve());
  });
  return {
    collective: collectiveClient(port1),
    async close() {
      worker.postMessage('close');
      await closed;
      await worker.terminate();
    },
  };
}

async function serve({ collectiveThread, port }: CollectiveThreadData): Promise<void> {
  const tell = (notice: CollectiveNotice): void => parentPort?.postMessage(notice);
  const host = startCollectiveHost(port, {
    ...collectiveThread,
    onWaiting: (who) => tell({ kind: 'waiting', who }),
    onRefused: (reason, count) => tell({ kind: 'refused', reason, count }),
  });
  // A failure reaches the compute thread through the port.
  host.catch(() => {});
  parentPort?.once('message', async () => {
    await host.then((started) => started.close()).catch(() => {});
    tell({ kind: 'closed' });
  });
}

const data = workerData as CollectiveThreadData | null;
if (data?.collectiveThread) await serve(data);
