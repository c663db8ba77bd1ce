// Snapshots on a trainer: after the agreed step the state is copied, and training goes on while the comms thread hashes
// the copy and, on the member that was chosen, stores it. Every member says the digest, so that one that computes other
// bits is found before anything is kept. When to take one is the coordinator's word: a plan, or the end of an epoch.

import { toThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EpochSums } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import type { Stages } from './stage-runtime.ts';

export interface Snapshots {
  /** The highest plan known here: what this member acknowledges. */
  known(): number;
  /** Takes one if it is due. Waits only when the one before the last is not stored yet. */
  afterStep(done: StepDone): Promise<void>;
}

export interface StepDone {
  readonly term: number;
  readonly revision: number;
  readonly step: number;
  /** The index of this member in the generation. */
  readonly self: number;
  /** The highest plan that every member has acknowledged. */
  readonly acknowledgedPlan: number;
  /** Set after the epoch's last step: who stores its end. */
  readonly endStoredBy: number | null;
  /** Over the epoch so far. */
  readonly sums: EpochSums;
}

/** Copies of the state that may wait to be stored. */
const underWayMax = 2;

/** What keeps a copy from being stored is fatal to the link, at once: after the last copy there is none to tell it. */
export function createSnapshots(
  link: Pick<CommsLink, 'plan' | 'store' | 'digest' | 'send' | 'observe' | 'fail'>,
  stages: Pick<Stages, 'encode'>,
): Snapshots {
  const underWay = new Set<Promise<void>>();
  let carriedOut = 0;

  const take = async (done: StepDone, isStoring: boolean): Promise<void> => {
    const started = performance.now();
    while (underWay.size >= underWayMax) await Promise.race(underWay);
    const bytes = stages.encode('');
    const { length } = bytes;
    const stored = isStoring ? link.store(bytes) : link.digest(bytes);
    const pauseSeconds = (performance.now() - started) / 1000;
    link.observe({ kind: 'snapshot', pauseSeconds, bytes: length });
    const { term, revision, step, sums } = done;
    const taken = { term, revision, step, plan: carriedOut, sums: { ...sums }, pauseSeconds };
    const told = stored
      .then(
        ({ digest }) => link.send({ snapshotTaken: { ...taken, digest, bytes: isStoring ? length : 0 } }),
        (thrown: unknown) => link.fail(toThawError(thrown)),
      )
      .finally(() => underWay.delete(told));
    underWay.add(told);
  };

  return {
    known: () => link.plan()?.number ?? 0,
    async afterStep(done) {
      const { acknowledgedPlan, endStoredBy, self } = done;
      const plan = acknowledgedPlan > carriedOut ? link.plan() : null;
      carriedOut = Math.max(carriedOut, acknowledgedPlan);
      if (endStoredBy !== null) await take(done, endStoredBy === self);
      else if (plan) await take(done, plan.number === acknowledgedPlan && plan.snapshot?.member === self);
    },
  };
}

/** For what trains outside of a job. */
export const noSnapshots: Snapshots = { known: () => 0, afterStep: async () => undefined };
