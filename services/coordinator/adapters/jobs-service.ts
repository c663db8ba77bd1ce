// What people ask of the job, and who started its trainers: its status, its changes, another number of trainers, its end.

import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobsHandlers } from '@thaw/proto/gen/thaw/v1/Jobs.ts';
import type { JobUpdate } from '@thaw/proto/gen/thaw/v1/JobUpdate.ts';
import type { WatchJobRequest__Output } from '@thaw/proto/gen/thaw/v1/WatchJobRequest.ts';

export interface JobView {
  status(): JobStatus;
  /** Event lines from number `from` on (0 is the first one still kept), and the number to ask for next. */
  events(from: number): { readonly lines: readonly string[]; readonly next: number };
  /** The job is over, and its last event is among `events`. */
  ended(): boolean;
  cancel(reason: string): void;
  /** Returns what is wrong with the number, or null. */
  scale(replicas: number): string | null;
  exited(exit: { readonly name: string; readonly pid: number; readonly reason: string }): void;
}

const updateMilliseconds = 100;

export function createJobsService(view: JobView): JobsHandlers {
  return {
    Get: (_call, reply) => reply(null, view.status()),
    Watch: (call) => watch(call, view),
    Cancel: (call, reply) => {
      view.cancel(call.request.reason || 'cancelled by its user');
      reply(null, view.status());
    },
    Scale: ({ request }, reply) => {
      const problem = view.scale(request.replicas);
      if (problem === null) reply(null, view.status());
      else reply({ name: 'JobInvalid', message: problem, details: problem, code: status.INVALID_ARGUMENT });
    },
    ReportExit: ({ request }, reply) => {
      view.exited(request);
      reply(null, {});
    },
    Suspend: (_call, reply) => reply(notSupported('suspending a job')),
    Resume: (_call, reply) => reply(notSupported('resuming a job')),
  };
}

function watch(call: ServerWritableStream<WatchJobRequest__Output, JobUpdate>, view: JobView): void {
  let next = 0;
  let sent = '';
  const update = (): void => {
    const over = view.ended();
    const events = view.events(next);
    const jobStatus = view.status();
    const now = JSON.stringify(jobStatus);
    next = events.next;
    if (events.lines.length > 0 || now !== sent) call.write({ status: jobStatus, events: [...events.lines] });
    sent = now;
    if (!over) return;
    stop();
    call.end();
  };
  const stop = (): void => clearInterval(timer);
  const timer = setInterval(update, updateMilliseconds);
  call.on('cancelled', stop);
  call.on('error', stop);
  update();
}

function notSupported(what: string) {
  const message = `${what} is not supported yet`;
  return { name: 'NotSupported', message, details: message, code: status.UNIMPLEMENTED };
}
