// An output folder with a run under way, for tests of commands that speak to it: the real service over real gRPC, of a job
// whose status the test sets. This process is its coordinator.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type GrpcServer, startGrpcServer } from '@thaw/coordinator/adapters/grpc-server.ts';
import { createJobsService, type JobView } from '@thaw/coordinator/adapters/jobs-service.ts';
import { writeMark } from '@thaw/coordinator/export/output-folder.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { writeRunAddress } from '@thaw/coordinator/export/run-address.ts';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';

export interface ServedRun {
  readonly out: string;
  /** What was asked of the job, in words. */
  readonly asked: readonly string[];
  /** The job is over: its mark says how, and `events` are in its log. */
  end(state: string, ...events: readonly object[]): Promise<void>;
  /** Its coordinator does not listen any more. */
  close(): Promise<void>;
}

export interface ServedOptions {
  readonly status?: JobStatus;
  readonly view?: Partial<JobView>;
}

const uid = '01TEST';

/** In `folder`/out. `status` is laid over a job that trains on one trainer. */
export async function serveRun(
  context: TestContext,
  folder: string,
  { status = {}, view = {} }: ServedOptions = {},
): Promise<ServedRun> {
  const out = path.join(folder, 'out');
  const asked: string[] = [];
  let isOver = false;
  const now = (): JobStatus => ({ uid, name: 'digits', ...trainingStatus, ...status });
  const jobs = createJobsService({
    status: now,
    events: () => ({ lines: [], next: 0 }),
    ended: () => isOver,
    cancel: (reason) => void asked.push(`cancel: ${reason}`),
    scale(replicas) {
      asked.push(`scale: ${replicas}`);
      return null;
    },
    exited: ({ name, reason }) => void asked.push(`exited: ${name} ${reason}`),
    ...view,
  });
  const server: GrpcServer = await startGrpcServer('127.0.0.1:0', {
    session: { Open: (stream) => stream.end() },
    blobs: { Fetch: (call) => call.end(), Store: (_, reply) => reply(null, {}) },
    jobs,
    healthy: () => true,
  });
  context.after(() => server.close());
  const job = { uid, name: 'digits', jobDigest: 'sha256:0' };
  await writeMark(out, { ...job, pid: process.pid, state: 'Running' });
  await writeRunAddress(out, { address: `127.0.0.1:${server.port}`, pid: process.pid, uid });
  return {
    out,
    asked,
    async end(state, ...events) {
      isOver = true;
      await mkdir(out, { recursive: true });
      const lines = events.map((event) => `${JSON.stringify({ id: '1.1', sequence: 1, ...event })}\n`);
      await writeFile(resultFiles(out).events, lines.join(''));
      await writeMark(out, { ...job, pid: null, state });
    },
    close: () => server.close(),
  };
}

const trainingStatus: JobStatus = {
  state: 'Training',
  reason: '',
  generation: 3,
  trainersReady: 1,
  trainersWanted: 2,
  progress: {
    stage: 1,
    stages: 3,
    stageName: 'block5',
    epochInStage: 2,
    epochsInStage: 12,
    step: 100,
    stepInEpoch: 14,
    stepsInEpoch: 24,
    phase: 'compute',
    loss: 0.4312,
    accuracy: 0.875,
    hasValidation: true,
    validationLoss: 0.5,
    validationAccuracy: 0.85,
    samplesPerSecond: 320,
    remainingSeconds: 83,
    ratio: 0.41,
  },
};
