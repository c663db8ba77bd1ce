// Which member hosts which shard: a pure function of the previous assignment and the sorted members. Loads differ by at
// most one, and no shard moves that need not: a member keeps its lowest shards up to its load, orphans fill the gaps.

import { invariant } from '@thaw/common/errors/thaw-error.ts';

/** owners[shard] = incarnation. */
export type Owners = readonly string[];

export function assignShards(previous: Owners | null, members: readonly string[], shards: number): Owners {
  invariant(members.length > 0 && members.length <= shards, `${members.length} members for ${shards} shards`);
  const loads = targetLoads(previous, members, shards);
  const owners = new Array<string | null>(shards).fill(null);
  for (const [shard, owner] of (previous ?? []).entries()) {
    const left = loads.get(owner) ?? 0;
    if (left === 0) continue;
    owners[shard] = owner;
    loads.set(owner, left - 1);
  }
  const open = members.flatMap((member) => new Array<string>(loads.get(member) ?? 0).fill(member));
  return owners.map((owner) => owner ?? (open.shift() as string));
}

/** Everybody floor(V/N); the V mod N extra ones go to those who hosted most before, then in the members' order. */
function targetLoads(previous: Owners | null, members: readonly string[], shards: number): Map<string, number> {
  const base = Math.floor(shards / members.length);
  const extra = shards % members.length;
  const hosted = (member: string): number => (previous ?? []).filter((owner) => owner === member).length;
  const byHosted = [...members].sort((a, b) => hosted(b) - hosted(a) || (a < b ? -1 : 1));
  return new Map(byHosted.map((member, i) => [member, base + (i < extra ? 1 : 0)]));
}
