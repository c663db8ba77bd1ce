import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Plan__Output } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { SnapshotTaken } from '@thaw/proto/gen/thaw/v1/SnapshotTaken.ts';
import { createSnapshots, type StepDone } from './snapshots.ts';

const sums = { lossSum: 1, penaltySum: 2, count: 3, correct: 4, stepsSkipped: 0, learningRate: 0.1 };

/** A trainer whose blobs are stored when the test says so. */
function aTrainer() {
  const sent: SnapshotTaken[] = [];
  const failures: ThawError[] = [];
  const storing: { readonly isKept: boolean; finish(): void; fail(error: Error): void }[] = [];
  let plan: Plan__Output | null = null;
  let copies = 0;
  const blob = (isKept: boolean) => (bytes: Uint8Array) =>
    new Promise<{ digest: string; bytes: number }>((resolve, reject) => {
      const finish = (): void => resolve({ digest: `digest ${bytes[0]}`, bytes: bytes.length });
      storing.push({ isKept, finish, fail: reject });
    });
  const snapshots = createSnapshots(
    {
      plan: () => plan,
      store: blob(true),
      digest: blob(false),
      observe: () => undefined,
      fail: (error) => void failures.push(error),
      send: ({ snapshotTaken }) => {
        if (snapshotTaken) sent.push(snapshotTaken);
      },
    },
    { encode: () => Uint8Array.of(++copies, 0) },
  );
  const after = (step: number, changes: Partial<StepDone> = {}): Promise<void> => {
    const acknowledgedPlan = plan?.number ?? 0;
    return snapshots.afterStep({
      term: 1,
      revision: 5,
      step,
      self: 1,
      acknowledgedPlan,
      endStoredBy: null,
      sums,
      ...changes,
    });
  };
  const open = (number: number, member: number): void => {
    plan = { term: 1, number, change: 'snapshot', snapshot: { member } };
  };
  return { snapshots, after, open, sent, failures, storing, copies: () => copies };
}

test('a plan is carried out once, after the step in which all knew it, and stored by whom it names', async () => {
  const { snapshots, after, open, sent, storing } = aTrainer();
  await after(1);
  open(7, 1);
  assert.equal(snapshots.known(), 7);
  await after(2, { acknowledgedPlan: 0 });
  assert.equal(storing.length, 0);
  await after(3);
  await after(4);
  assert.deepEqual(
    storing.map(({ isKept }) => isKept),
    [true],
  );
  storing[0]?.finish();
  await new Promise(setImmediate);
  const [{ pauseSeconds = -1, ...taken } = {}] = sent;
  assert.deepEqual(taken, { term: 1, revision: 5, plan: 7, step: 3, digest: 'digest 1', bytes: 2, sums });
  assert.ok(Number(pauseSeconds) >= 0);
});

test('a member that another stores for says its digest alone', async () => {
  const { after, open, sent, storing } = aTrainer();
  open(1, 0);
  await after(1);
  assert.equal(storing[0]?.isKept, false);
  storing[0]?.finish();
  await new Promise(setImmediate);
  assert.deepEqual([sent[0]?.digest, sent[0]?.bytes], ['digest 1', 0]);
});

test('the end of an epoch is one snapshot, also when a plan asks for one there', async () => {
  const { after, open, storing, sent } = aTrainer();
  open(2, 0);
  await after(9, { endStoredBy: 1 });
  assert.deepEqual(
    storing.map(({ isKept }) => isKept),
    [true],
  );
  storing[0]?.finish();
  await new Promise(setImmediate);
  assert.equal(sent[0]?.plan, 2);
});

test('training waits only when two copies are not stored yet', async () => {
  const { after, storing, copies } = aTrainer();
  await after(1, { endStoredBy: 1 });
  await after(2, { endStoredBy: 1 });
  const third = after(3, { endStoredBy: 1 });
  await new Promise(setImmediate);
  assert.equal(copies(), 2);
  storing[0]?.finish();
  await third;
  assert.equal(copies(), 3);
});

test('a copy that could not be stored is told at once, also when no other follows', async () => {
  const { after, storing, failures, sent } = aTrainer();
  await after(1, { endStoredBy: 1 });
  storing[0]?.fail(new ThawError('StorageFailed', 'disk full'));
  await new Promise(setImmediate);
  assert.deepEqual(
    failures.map(({ code, message }) => [code, message]),
    [['StorageFailed', 'disk full']],
  );
  assert.equal(sent.length, 0);
});
