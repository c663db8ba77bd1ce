// Keeps saying the current directive to every member until it has been acknowledged, and the open plan until it is
// carried out: once a second, and whenever the core asks. What was acknowledged is not stored; after a restart it is
// simply said again.

import { directedMembers, directiveMessage } from '../core/directive.ts';
import { planMessage } from '../core/snapshots.ts';
import type { JobState } from '../core/state.ts';
import type { Sessions } from './ports.ts';

export interface Directives {
  send(state: JobState, to: string): void;
  sendPlan(state: JobState, to: string): void;
  /** The last word to one that is no member any more. */
  release(to: string, finish: Released): void;
  acknowledged(from: string, revision: number): void;
  /** To those who have not acknowledged it. */
  resend(state: JobState): void;
  readonly resent: number;
}

export interface Released {
  readonly term: number;
  readonly revision: number;
  readonly reason: string;
}

export function createDirectives(sessions: Sessions): Directives {
  const revisions = new Map<string, number>();
  let resent = 0;
  const send = (state: JobState, to: string): void => {
    // Since it was decided to tell it, it may have been decided that it is no member any more.
    if (!directedMembers(state).includes(to)) return;
    const directive = directiveMessage(state);
    if (directive) sessions.send(to, { directive });
    sendPlan(state, to);
  };
  const sendPlan = (state: JobState, to: string): void => {
    const plan = planMessage(state);
    if (plan) sessions.send(to, { plan });
  };
  return {
    send,
    sendPlan,
    release(to, { term, revision, reason }) {
      sessions.send(to, { directive: { term, revision, finish: { outcome: 'Released', reason } } });
    },
    acknowledged(from, revision) {
      revisions.set(from, Math.max(revisions.get(from) ?? 0, revision));
    },
    resend(state) {
      const wanted = state.directive?.revision ?? 0;
      for (const incarnation of directedMembers(state)) {
        if ((revisions.get(incarnation) ?? 0) >= wanted) {
          sendPlan(state, incarnation);
          continue;
        }
        resent += 1;
        send(state, incarnation);
      }
    },
    get resent() {
      return resent;
    },
  };
}
