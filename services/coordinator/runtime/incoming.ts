// A trainer's message as an event of the core. Heartbeats and acknowledgements are not among them: they are volatile.

import type { BadSamples__Output } from '@thaw/proto/gen/thaw/v1/BadSamples.ts';
import type { TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { CoreEvent } from '../core/events.ts';

export type SampleFilter = (samples: BadSamples__Output['samples']) => BadSamples__Output['samples'];

export function coreEvent(from: string, message: TrainerMessage__Output, firstSeen: SampleFilter): CoreEvent | null {
  if (message.hello) return { kind: 'hello', hello: message.hello };
  if (message.ready) return { kind: 'ready', from, ready: message.ready };
  if (message.report) return { kind: 'report', from, report: message.report };
  if (message.snapshotTaken) return { kind: 'snapshotTaken', from, taken: message.snapshotTaken };
  if (message.failure) return { kind: 'failure', from, failure: message.failure };
  if (message.goodbye) return { kind: 'goodbye', from, reason: message.goodbye.reason };
  if (message.badSamples) {
    const samples = firstSeen(message.badSamples.samples);
    return samples.length > 0 ? { kind: 'badSamples', from, samples } : null;
  }
  return null;
}
