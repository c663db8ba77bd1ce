import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { claimOutput, readMark, reclaimOutput, writeMark } from './output-folder.ts';
import { resultFiles } from './result-files.ts';
import { readRunAddress, writeRunAddress } from './run-address.ts';

let folder = '';
let out = '';
const claim = { uid: '01A', name: 'digits', jobDigest: 'sha256:a', overwrite: false };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-out-'));
  out = path.join(folder, 'deep', 'out');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('makes a folder that is not there, and marks it', async () => {
  await claimOutput(out, claim);
  const mark = await readMark(resultFiles(out).jobMark);
  assert.deepEqual([mark?.jobDigest, mark?.pid, mark?.state], ['sha256:a', process.pid, 'Running']);
});

it('refuses one that holds another job, unless it may be overwritten', async () => {
  await claimOutput(out, claim);
  const other = { ...claim, name: 'cats', jobDigest: 'sha256:b' };
  await assert.rejects(claimOutput(out, other), (error: Error) => {
    assert.match(error.message, /holds another job: found "digits" \(sha256:a\), expected "cats" \(sha256:b\)/);
    return true;
  });
  await claimOutput(out, { ...other, overwrite: true });
});

it('refuses the finished result of the same job, and says that it is that', async () => {
  await claimOutput(out, claim);
  await writeMark(out, { ...claim, pid: null, state: 'Succeeded' });
  await assert.rejects(claimOutput(out, claim), {
    code: 'OutputConflict',
    message: /finished result of just this job/,
  });
});

it('refuses a run of the same job that was begun and did not end well, and names both ways on', async () => {
  await claimOutput(out, claim);
  await writeMark(out, { ...claim, pid: null, state: 'Failed' });
  await writeFile(resultFiles(out).events, 'old\n');
  await assert.rejects(claimOutput(out, { ...claim, uid: '01B' }), {
    code: 'OutputConflict',
    message: /unfinished run of just this job .*`thaw run --resume .*out`, or begin anew with --overwrite/,
  });
  await claimOutput(out, { ...claim, uid: '01B', overwrite: true });
  assert.deepEqual(await readdir(out), ['.thaw']);
});

it('heeds no address that a killed run left, and takes it away with what else that left', async () => {
  await claimOutput(out, claim);
  await writeRunAddress(out, { address: '127.0.0.1:1', pid: 1, uid: claim.uid });
  await writeMark(out, { ...claim, pid: null, state: 'Failed' });
  assert.equal((await reclaimOutput(out)).uid, claim.uid);
  await claimOutput(out, { ...claim, uid: '01B' });
  assert.equal(await readRunAddress(out), null);
});

it('takes a folder whose run never came to its job', async () => {
  await claimOutput(out, claim);
  await writeMark(out, { ...claim, pid: null, state: 'Failed' });
  await claimOutput(out, { ...claim, uid: '01B' });
  assert.equal((await readMark(resultFiles(out).jobMark))?.uid, '01B');
});

it('gives back a run that was stopped, with all that it has stored but unfinished files', async () => {
  await claimOutput(out, claim);
  const { events, blobs, jobMark } = resultFiles(out);
  await writeMark(out, { ...claim, pid: null, state: 'Cancelled' });
  await writeFile(events, 'old\n');
  for (const name of ['sha256-a', 'incoming.1.part']) await writeFile(path.join(blobs, name), 'x');
  assert.equal((await reclaimOutput(out)).uid, claim.uid);
  assert.deepEqual(await readdir(blobs), ['sha256-a']);
  assert.equal(await readFile(events, 'utf8'), 'old\n');
  assert.deepEqual(await readMark(jobMark).then((mark) => [mark?.pid, mark?.state]), [process.pid, 'Running']);
});

it('gives back a run whose process is gone, though another has its number since', async () => {
  await claimOutput(out, claim);
  await writeMark(out, { ...claim, pid: process.ppid, process: 'an earlier boot 17', state: 'Running' });
  assert.equal((await reclaimOutput(out)).uid, claim.uid);
});

for (const { what, mark, message } of [
  { what: 'a finished run', mark: { pid: null, state: 'Succeeded' }, message: /is finished, see .*report\.json/ },
  { what: 'one that a living process works in', mark: { pid: process.ppid, state: 'Running' }, message: /in use/ },
  { what: 'a folder without a run', mark: null, message: /holds no run that could be taken up/ },
]) {
  it(`gives back no run from ${what}`, async () => {
    if (mark) {
      await claimOutput(out, claim);
      await writeMark(out, { ...claim, ...mark });
    }
    await assert.rejects(reclaimOutput(out), { code: 'OutputConflict', message });
  });
}

it('refuses one that a living process works in, even to overwrite', async () => {
  await claimOutput(out, claim);
  await writeMark(out, { ...claim, pid: process.ppid, state: 'Running' });
  await assert.rejects(claimOutput(out, { ...claim, overwrite: true }), { code: 'OutputConflict', message: /in use/ });
});

it('is given to one of two runs that are started together', async () => {
  const claims = [
    { ...claim, uid: '01A' },
    { ...claim, uid: '01B', name: 'cats', jobDigest: 'sha256:b' },
  ];
  const results = await Promise.allSettled(claims.map((one) => claimOutput(out, one)));
  const winner = results.findIndex(({ status }) => status === 'fulfilled');
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const refusal = results.find((result) => result.status === 'rejected');
  assert.equal(refusal?.reason.code, 'OutputConflict');
  assert.equal((await readMark(resultFiles(out).jobMark))?.uid, claims[winner]?.uid);
});

it("writes nothing into somebody else's folder", async () => {
  await mkdir(out, { recursive: true });
  await writeFile(path.join(out, 'thesis.tex'), 'x');
  await assert.rejects(claimOutput(out, { ...claim, overwrite: true }), { message: /it holds "thesis\.tex"/ });
  assert.deepEqual(await readdir(out), ['thesis.tex']);
});

it('says the path when the folder cannot be made', async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'deep'), 'a file');
  await assert.rejects(claimOutput(out, claim), { code: 'StorageFailed', message: /a part of the path is a file/ });
});
