// A generation: the members that train together, numbered, with the shards that each of them hosts.

import { assignShards } from './assignment.ts';
import { record } from './event-log.ts';
import type { Generation, JobState, Member } from './state.ts';

/** The next generation, of these members; no shard moves that need not. */
export function formGeneration(state: JobState, members: readonly Member[], firstStep: number): JobState {
  const before = state.generation;
  const hosts = before?.shardOwners.map((owner) => before.members[owner]?.incarnation ?? '') ?? null;
  const incarnations = members.map(({ incarnation }) => incarnation);
  const owners = assignShards(hosts, incarnations, state.plan.shards);
  const generation: Generation = {
    number: (before?.number ?? 0) + 1,
    members: members.map(({ incarnation, name }) => ({ incarnation, name })),
    shardOwners: owners.map((owner) => incarnations.indexOf(owner)),
    firstStep,
  };
  return { ...state, generation };
}

/** Says it once it trains; one that another has followed before that was none. */
export function recordGeneration(state: JobState, now: number, reason: string): JobState {
  const { generation } = state;
  if (!generation) return state;
  return record(state, now, {
    kind: 'generationStarted',
    generation: generation.number,
    trainers: generation.members.map(({ name }) => name),
    shardOwners: generation.shardOwners,
    firstStep: generation.firstStep,
    reason,
  });
}
