// The job's key in JetStream KV. Every write is a compare-and-set on the revision that this coordinator wrote last, so
// of two coordinators one finds out. A write that failed or went unanswered is resolved by reading: it is one's own only
// if it carries one's own reign, because those who take over together claim the same term.

import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, StorageType } from '@nats-io/jetstream';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { ThawError, toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { JobState } from '../core/state.ts';
import { decodeState, encodeState } from '../core/stored-form.ts';
import type { StateStore } from '../runtime/ports.ts';
import { brokerLostMilliseconds } from './broker.ts';

/** An incumbent that has not written for this long is taken over, unless none can be alive; it renews each second. */
const incumbentMilliseconds = 3000;

const key = 'job';
const requestMilliseconds = 1000;
const retryMilliseconds = 100;
const pollMilliseconds = 250;

export interface JobKey extends StateStore {
  /**
   * Takes the job for the reign of `initial`: the first term when nobody had it, else the next one once the incumbent
   * stood still. Whoever is faster is the next incumbent, and is waited for in turn.
   */
  take(initial: JobState): Promise<JobState>;
}

export interface JobKeyOptions {
  readonly uid: string;
  /** Milliseconds, monotonic. */
  readonly monotonic: () => number;
  /** The broker is this run's own, so that whoever wrote last is gone: nobody is waited for. */
  readonly isAlone?: boolean;
}

export async function openJobKey(broker: NatsConnection, options: JobKeyOptions): Promise<JobKey> {
  const { uid, monotonic, isAlone = false } = options;
  const kvm = new Kvm(jetstream(broker, { timeout: requestMilliseconds }));
  const kv = await kvm
    .create(`thaw-${uid}`, { history: 1, storage: StorageType.File, description: 'State of one Thaw job' })
    .catch((cause: unknown) => {
      throw new ThawError('BrokerLost', `nats-server refused the job's bucket: ${reasonOf(cause)}`, { cause });
    });
  let revision = 0;

  const write = async (state: JobState): Promise<void> => {
    const bytes = encodeState(state);
    const started = monotonic();
    for (;;) {
      try {
        revision = revision === 0 ? await kv.create(key, bytes) : await kv.update(key, bytes, revision);
        return;
      } catch (cause) {
        const found = await readOwn(kv, state, revision);
        if (found !== null) {
          revision = found;
          return;
        }
        if (monotonic() - started >= brokerLostMilliseconds) {
          throw new ThawError('BrokerLost', `the job's state could not be stored: ${reasonOf(cause)}`, { cause });
        }
        await delay(retryMilliseconds);
      }
    }
  };

  return {
    save: write,
    async take(initial) {
      for (;;) {
        const incumbent = await standstill(kv, monotonic, isAlone ? 0 : incumbentMilliseconds);
        const { reign } = initial;
        const state = incumbent ? { ...incumbent.state, reign, term: incumbent.state.term + 1, write: 1 } : initial;
        revision = incumbent?.revision ?? 0;
        try {
          await write(state);
          return state;
        } catch (thrown) {
          if (toThawError(thrown).code !== 'TermSuperseded') throw thrown;
        }
      }
    },
  };
}

/**
 * The revision under which just this state is stored; null while the key is as it was at revision `before`, or cannot
 * be read. Throws TermSuperseded when another reign has written.
 */
async function readOwn(kv: KV, state: JobState, before: number): Promise<number | null> {
  const entry = await kv.get(key).catch(() => null);
  if (!isStored(entry) || entry.revision === before) return null;
  const found = decodeState(entry.value);
  if (found.reign === state.reign) return found.write === state.write ? entry.revision : null;
  const holder = `term ${found.term} of coordinator ${found.reign}`;
  throw new ThawError('TermSuperseded', `${holder} holds the job; this is term ${state.term} of ${state.reign}`);
}

/** The stored state once it has not changed for so long; null when there is none. */
async function standstill(kv: KV, monotonic: () => number, milliseconds: number) {
  let seen = 0;
  let since = monotonic();
  for (;;) {
    const entry = await kv.get(key).catch((cause: unknown) => {
      throw new ThawError('BrokerLost', `the job's state could not be read: ${reasonOf(cause)}`, { cause });
    });
    if (!isStored(entry)) return null;
    if (entry.revision !== seen) {
      seen = entry.revision;
      since = monotonic();
    }
    if (monotonic() - since >= milliseconds) {
      return { state: decodeState(entry.value), revision: entry.revision };
    }
    await delay(pollMilliseconds);
  }
}

function isStored(entry: KvEntry | null): entry is KvEntry {
  return entry?.operation === 'PUT';
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
