import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { it, type TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { startGrpcServer } from '@thaw/coordinator/adapters/grpc-server.ts';
import { createJobsService } from '@thaw/coordinator/adapters/jobs-service.ts';
import type { JobEnd } from '@thaw/coordinator/core/state.ts';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import type { Child, Exit } from '../processes/child.ts';
import { createJsonView } from '../view/json-view.ts';
import { type FollowOptions, followJob } from './follow-job.ts';

const succeeded: JobEnd = { phase: 'Succeeded', failure: null };
const lines = ['{"sequence":1,"kind":"jobStarted"}', '{"sequence":2,"kind":"jobSucceeded"}'];
const eventText = (shown: readonly string[]): string => shown.map((line) => `${line}\n`).join('');
const noop = (): void => undefined;

/** Exits when the test says so. */
function aProcess(name: string): { readonly child: Child; exit(): void } {
  let exit: Exit | null = null;
  let ended = (_exit: Exit): void => undefined;
  const exited = new Promise<Exit>((resolve) => {
    ended = resolve;
  });
  const child: Child = {
    name,
    pid: 7,
    onLine: noop,
    tell: noop,
    exited,
    get exit() {
      return exit;
    },
    lastLines: () => [],
    lastWords: () => '',
    stop: async () => undefined,
  };
  return {
    child,
    exit() {
      exit = { code: 0, signal: null };
      ended(exit);
    },
  };
}

/** Follows the job at `address`; `shown` is what a program that reads `--json` has got so far. */
async function follow(context: TestContext, address: string) {
  const eventsFile = path.join(await temporaryFolder(context), 'events.jsonl');
  await writeFile(eventsFile, `${eventText(lines)}{"sequence":3,"ki`);
  const shown: string[] = [];
  const stdout = { write: (text: string) => shown.push(text) } as unknown as NodeJS.WriteStream;
  const coordinator = aProcess('coordinator');
  const local = {
    address,
    coordinator: coordinator.child,
    startTrainer: (name: string) => aProcess(name).child,
    brokerLost: new Promise<never>(noop),
    jobEnd: () => succeeded,
  };
  const options: FollowOptions = {
    eventsFile,
    view: createJsonView({ stdout, stderr: stdout }),
    stopping: { requested: new Promise(noop), asked: false, release: noop },
    trainers: { wanted: 1, min: 1 },
  };
  return { coordinator, shown: () => shown.join(''), followed: followJob(local, options) };
}

it('has the ending and every event of a coordinator that was gone before its stream told them', async (context) => {
  const nobody = '127.0.0.1:1';
  const { coordinator, shown, followed } = await follow(context, nobody);
  coordinator.exit();
  assert.deepEqual(await followed, { jobEnd: succeeded, lost: null });
  assert.equal(shown(), eventText(lines));
});

it('opens a stream that breaks off again, and shows no event twice', async (context) => {
  let opened = 0;
  let coordinator: { exit(): void } | null = null;
  const jobs = createJobsService({
    status: () => ({ name: 'digits' }),
    events: (from) => ({ lines: lines.slice(from, opened), next: opened }),
    ended: () => opened === 2,
    cancel: noop,
    scale: () => null,
    exited: noop,
  });
  const server = await startGrpcServer('127.0.0.1:0', {
    session: { Open: (stream) => stream.end() },
    blobs: { Fetch: (call) => call.end(), Store: (_, reply) => reply(null, {}) },
    jobs: {
      ...jobs,
      Watch(call) {
        opened += 1;
        jobs.Watch(call);
        if (opened === 1) call.emit('error', { code: status.UNAVAILABLE, details: 'too busy' });
        else coordinator?.exit();
      },
    },
    healthy: () => true,
  });
  context.after(() => server.close());
  const following = await follow(context, `127.0.0.1:${server.port}`);
  coordinator = following.coordinator;
  assert.deepEqual(await following.followed, { jobEnd: succeeded, lost: null });
  assert.equal(following.shown(), eventText(lines));
  assert.equal(opened, 2);
});
