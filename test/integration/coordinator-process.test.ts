// The coordinator as a process of its own, before there is a job to run: what it says, how it is cancelled, and how it
// leaves the folder that it has claimed.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readMark } from '@thaw/coordinator/export/output-folder.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { aTinyJob, writeTinyJob } from '../support/fixtures/tiny-job.ts';

const run = promisify(execFile);
const main = fileURLToPath(import.meta.resolve('@thaw/coordinator/main.ts'));

interface Coordinator {
  readonly process: ChildProcess;
  readonly out: string;
  /** The lines of its stdout; the first one is `claimed`. */
  readonly lines: { readonly [field: string]: unknown }[];
  readonly status: Promise<number | null>;
}

describe('a coordinator that waits for its broker', () => {
  let folder = '';
  const started: ChildProcess[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thaw-coordinator-process-'));
    await writeTinyJob(folder);
  });
  after(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  async function aClaimedFolder(name: string): Promise<Coordinator> {
    const out = path.join(folder, name);
    const job = { THAW_JOB_FILE: path.join(folder, 'job.yaml'), THAW_OUT: out };
    const env = { ...process.env, THAW_LAUNCHED: '1', THAW_CACHE: path.join(folder, 'cache'), ...job };
    const child = spawn(process.execPath, ['--import', 'tsx', main], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    started.push(child);
    const lines: Coordinator['lines'] = [];
    const status = new Promise<number | null>((resolve) => child.once('close', resolve));
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(JSON.parse(line) as Coordinator['lines'][number]);
        resolve();
      });
      void status.then((code) => reject(new Error(`it ended with ${code} before it claimed the folder`)));
    });
    assert.deepEqual(lines, [{ claimed: true }]);
    return { process: child, out, lines, status };
  }

  const ways: readonly { how: string; cancel: (coordinator: Coordinator) => void; reason: string }[] = [
    { how: 'SIGTERM', cancel: ({ process: child }) => void child.kill('SIGTERM'), reason: 'SIGTERM' },
    {
      how: 'a launcher that is gone',
      cancel: ({ process: child }) => child.stdin?.end(),
      reason: 'the launcher is gone',
    },
  ];
  for (const { how, cancel, reason } of ways) {
    it(`is cancelled by ${how}: exit status 130, and the folder says so`, async () => {
      const coordinator = await aClaimedFolder(reason.replaceAll(' ', '-'));
      cancel(coordinator);
      assert.equal(await coordinator.status, 130);
      const message = `cancelled before training began: ${reason}`;
      assert.deepEqual(coordinator.lines.at(-1), { ready: false, code: 'Cancelled', message });
      const mark = await readMark(resultFiles(coordinator.out).jobMark);
      assert.deepEqual([mark?.state, mark?.pid], ['Cancelled', null]);
    });
  }

  it('says what it fetches before anything else, so that a launcher can show it', async () => {
    const jobFile = path.join(folder, 'fetching.yaml');
    await writeFile(jobFile, aTinyJob({ spec: { data: { source: 'example:emoji' } } }));
    // No PATH, no npm: what is fetched is said, and never comes.
    const env = { PATH: folder, THAW_JOB_FILE: jobFile, THAW_OUT: folder, THAW_CACHE: path.join(folder, 'cache') };
    const options = { env: { ...env, THAW_NATS_URL: 'nats://nowhere' } };
    const { stdout } = await run(process.execPath, ['--import', 'tsx', main], options).catch(
      (failed: { stdout: string }) => failed,
    );
    const [first, last] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Coordinator['lines'][number]);
    assert.deepEqual(first, { fetching: 'emoji-datasource-google 16.0.0 of npm for example:emoji' });
    assert.equal(last?.code, 'SourceNotFound');
  });
});
