// Restore points on a real disk: what is taken when files are damaged or gone, and what is said.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { fileNameOf } from '@thaw/common/content/digest.ts';
import { initialState } from '../core/initial-state.ts';
import { decodeSnapshot, type RestorePoint, type Snapshot, scheduleOf, statesIn } from '../core/snapshot.ts';
import { aPlan } from '../testing/builders.ts';
import { diskBlobStore } from './blob-store.ts';
import { findSnapshot, snapshotStore } from './snapshot-store.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-snapshots-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const seen = [{ split: 'train', id: 'a.png', reason: 'torn' }];

/** Stores a snapshot of the step, and says where it is. */
async function store(step: number): Promise<RestorePoint> {
  const blobs = diskBlobStore(folder);
  const state = { digest: await blobs.put(`state of step ${step}`), bytes: 20 };
  const sums = { lossSum: step, penaltySum: 0, count: step, correct: 0, stepsSkipped: 0, learningRate: 0.1 };
  const schedule = scheduleOf(initialState(aPlan(), { uid: '01', runToken: 'a', reign: 'b', term: 1 }));
  const snapshot: Snapshot = { jobDigest: 'sha256:a', state, step, sums, schedule, pauseSeconds: 0, at: 5 };
  const digest = await snapshotStore(blobs).keep(snapshot, seen);
  return { digest, stage: 0, epoch: 0, step, states: statesIn(snapshot) };
}

const fileOf = (digest: string): string => path.join(folder, fileNameOf(digest));

it('finds what was kept', async () => {
  const point = await store(7);
  const found = await findSnapshot(diskBlobStore(folder), [point]);
  assert.deepEqual([found.snapshot?.step, found.snapshot?.sums.lossSum, found.badSamples], [7, 7, seen]);
  assert.deepEqual([found.restorePoints, found.damaged], [[point], []]);
  assert.deepEqual(
    Object.keys(found).sort(),
    ['badSamples', 'damaged', 'restorePoints', 'snapshot'],
    'nothing of the form of the file, which would spread into what is made of it',
  );
});

it('has nothing to go on from where nothing was kept', async () => {
  assert.equal((await findSnapshot(diskBlobStore(folder), [])).snapshot, null);
});

it('keeps no snapshot of a state that is not there', async () => {
  const point = await store(7);
  const blobs = diskBlobStore(folder);
  const { snapshot } = await findSnapshot(blobs, [point]);
  assert.ok(snapshot);
  await blobs.remover(snapshot.state.digest)();
  await assert.rejects(snapshotStore(blobs).keep(snapshot, []), { code: 'BlobNotFound' });
});

for (const { what, damage, said } of [
  {
    what: 'a torn state',
    damage: ({ states: [state] }: RestorePoint) => writeFile(fileOf(state ?? ''), 'state'),
    said: /the snapshot after step 9 cannot be used: .*sha256-\w+ has digest sha256:\w+, and was removed/,
  },
  {
    what: 'a lost state',
    damage: ({ states: [state] }: RestorePoint) => rm(fileOf(state ?? '')),
    said: /the snapshot after step 9 cannot be used: sha256:\w+ is not in the store/,
  },
  {
    what: 'a torn file',
    damage: ({ digest }: RestorePoint) => writeFile(fileOf(digest), '{"kind":'),
    said: /the snapshot after step 9 cannot be used: .* has digest/,
  },
]) {
  it(`takes the one before ${what}, and says so; without one it names the file`, async () => {
    const [older, newest] = [await store(4), await store(9)];
    await damage(newest);
    const found = await findSnapshot(diskBlobStore(folder), [newest, older]);
    assert.deepEqual([found.snapshot?.step, found.restorePoints], [4, [older]]);
    assert.match(found.damaged.join(), said);
    await assert.rejects(findSnapshot(diskBlobStore(folder), [newest]), (error: Error) => {
      assert.match(error.message, /step 9 cannot be used: .*There is no other to go on from; --overwrite/);
      return true;
    });
  });
}

it('refuses a file of another version, and one whose bits this Thaw does not compute', () => {
  const file = { kind: 'thaw-snapshot', version: 1, numericsVersion: 0 };
  assert.throws(
    () => decodeSnapshot(JSON.stringify({ ...file, version: 2 }), 'it'),
    /it: found thaw-snapshot version 2/,
  );
  assert.throws(
    () => decodeSnapshot(JSON.stringify(file), 'it'),
    /it: found numerics version 0; .*finished by the Thaw/,
  );
});
