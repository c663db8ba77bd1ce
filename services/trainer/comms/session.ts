// One trainer's side of the control stream. It keeps levels, not history: hello, ready and the newest snapshot are said
// again after every reconnect, and a directive that comes twice is answered with the report that is already held.
// It decides nothing and owns no thread.

import { type ErrorCode, errorCatalogue } from '@thaw/common/errors/catalogue.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { CoordinatorMessage__Output } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Plan__Output } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { Refusal__Output } from '@thaw/proto/gen/thaw/v1/Refusal.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import { protocolVersion } from '@thaw/proto/protocol-version.ts';

/** One open stream to the coordinator; the adapter beside this file makes it over gRPC. */
export interface SessionStream {
  send(message: TrainerMessage): void;
  end(): void;
}

export interface SessionHandlers {
  welcome(welcome: Welcome__Output): void;
  /** A directive newer than any before. */
  directive(directive: Directive__Output): void;
  /** A plan newer than any before. */
  plan(plan: Plan__Output): void;
  /** The session cannot go on: refused, or taken over. */
  fatal(error: ThawError): void;
}

export interface SessionIdentity {
  readonly incarnation: string;
  readonly name: string;
  readonly pid: number;
}

export interface Session {
  /** A stream is up: says hello and repeats what is held. */
  opened(stream: SessionStream): void;
  /** The stream is gone; messages are held until the next one. */
  lost(): void;
  received(message: CoordinatorMessage__Output): void;
  send(message: TrainerMessage): void;
  connected(): boolean;
}

/** Messages that are neither levels nor progress wait here while no stream is up: bad samples and failures. */
const heldMessagesMax = 1000;

export function createSession(identity: SessionIdentity, handlers: SessionHandlers): Session {
  let stream: SessionStream | null = null;
  let highestTerm = 0;
  let newestRevision = 0;
  let runToken: string | null = null;
  let ready: TrainerMessage | null = null;
  let report: TrainerMessage | null = null;
  let newestPlan = 0;
  let snapshot: TrainerMessage | null = null;
  let held: TrainerMessage[] = [];

  const receivedDirective = (directive: Directive__Output): void => {
    if (directive.term < highestTerm) return;
    highestTerm = directive.term;
    stream?.send({ ack: { term: directive.term, revision: directive.revision } });
    if (directive.revision > newestRevision) {
      newestRevision = directive.revision;
      handlers.directive(directive);
    } else if (report?.report?.revision === directive.revision) {
      report = { report: { ...report.report, term: directive.term } };
      stream?.send(report);
    }
  };

  const receivedWelcome = (welcome: Welcome__Output): void => {
    if (runToken === null) handlers.welcome(welcome);
    runToken ??= welcome.runToken;
    if (runToken === welcome.runToken) return;
    const found = `found run token ${welcome.runToken} in the welcome; this trainer's frames carry ${runToken}`;
    handlers.fatal(new ThawError('TermSuperseded', `${found}: the job was taken up again, start the trainer anew`));
  };

  const receivedPlan = (plan: Plan__Output): void => {
    if (plan.term < highestTerm || plan.number <= newestPlan) return;
    newestPlan = plan.number;
    handlers.plan(plan);
  };

  return {
    opened(opened) {
      stream = opened;
      stream.send({ hello: { protocolVersion, ...identity, highestTerm, jobDigest: '' } });
      if (ready) stream.send(ready);
      if (snapshot) stream.send(snapshot);
      for (const message of held) stream.send(message);
      held = [];
    },
    lost() {
      stream = null;
    },
    received(message) {
      if (message.welcome) {
        highestTerm = Math.max(highestTerm, message.welcome.term);
        receivedWelcome(message.welcome);
      } else if (message.refusal) {
        handlers.fatal(refusalError(message.refusal));
      } else if (message.directive) {
        receivedDirective(message.directive);
      } else if (message.plan) {
        receivedPlan(message.plan);
      }
    },
    send(message) {
      if (message.ready) ready = message;
      if (message.report) report = message;
      if (message.snapshotTaken) snapshot = message;
      if (stream) stream.send(message);
      else if (message.badSamples || message.failure) {
        invariant(held.length < heldMessagesMax, `more than ${heldMessagesMax} messages wait for the coordinator`);
        held.push(message);
      }
    },
    connected: () => stream !== null,
  };
}

/** Keeps the coordinator's code; one that this Thaw does not know stays in the words. */
function refusalError({ code, message }: Refusal__Output): ThawError {
  const refused = 'the coordinator refused this trainer';
  if (Object.hasOwn(errorCatalogue, code)) return new ThawError(code as ErrorCode, `${refused}: ${message}`);
  return new ThawError('ProtocolViolation', `${refused}: ${code}: ${message}`);
}
