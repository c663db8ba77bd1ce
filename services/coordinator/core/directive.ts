// The one directive that holds for every member. It is a level: the whole wanted work, numbered, stored before it is
// sent, sent again until it is acknowledged, and after every hello.

import { assertNever, invariant } from '@thaw/common/errors/thaw-error.ts';
import type { Directive } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Decision } from './events.ts';
import { rankedNames } from './ranking.ts';
import type { DirectiveState, JobState, Work } from './state.ts';

/** Replaces the directive; results of the former one are dropped. */
export function issueDirective(state: JobState, work: Work): Decision {
  const directive: DirectiveState = { revision: state.directivesIssued + 1, work };
  const pending = { ...state.pending, results: {} };
  const to = directedMembers({ ...state, directive });
  const directed: JobState = { ...state, directive, directivesIssued: directive.revision, pending };
  return { state: directed, effects: [{ kind: 'direct', to }] };
}

/** The message of the current directive; null before the first one. */
export function directiveMessage(state: JobState): Directive | null {
  const { term, generation, directive } = state;
  if (!directive) return null;
  const head = {
    term,
    revision: directive.revision,
    ...(generation && { generation: generationMessage(generation) }),
    rankedBlocks: rankedNames(state),
  };
  const { work } = directive;
  switch (work.kind) {
    case 'train': {
      const restoring = work.train.restoring.map((one) => indexOf(generation, one));
      return { ...head, train: { ...work.train, restoring } };
    }
    case 'halt':
      return { ...head, halt: { reason: work.reason } };
    case 'handOver':
      return { ...head, store: { member: work.member, scheduleState: '' } };
    case 'evaluate': {
      const { kind: _, partOwners, temperatures, ...rest } = work;
      return { ...head, evaluate: { ...rest, partOwners: [...partOwners], temperatures: [...temperatures] } };
    }
    case 'store':
      return { ...head, store: { member: work.member, scheduleState: work.scheduleState } };
    case 'rank': {
      const { kind: _, ...rank } = work;
      return { ...head, rank };
    }
    case 'finish':
      return { ...head, finish: { outcome: work.outcome, reason: work.reason } };
    default:
      return assertNever(work, 'work');
  }
}

/** Who is to carry out the directive: the end is told to everybody, work to those who train. */
export function directedMembers({ directive, generation, members }: JobState): readonly string[] {
  const directed = generation && directive?.work.kind !== 'finish' ? generation.members : members;
  return directed.map(({ incarnation }) => incarnation);
}

function indexOf(generation: JobState['generation'], incarnation: string): number {
  const index = generation?.members.findIndex((member) => member.incarnation === incarnation) ?? -1;
  invariant(index >= 0, `${incarnation} restores a state without being of generation ${generation?.number}`);
  return index;
}

function generationMessage({ number, members, shardOwners, firstStep }: NonNullable<JobState['generation']>) {
  return { number, members: [...members], shardOwners: [...shardOwners], firstStep };
}
