// What a member has to ask for when nothing comes, and whom. Only what a peer can have sent already is asked for.

import { phases } from '@thaw/proto/frames/frame.ts';
import { type Missing, missingPerNackMax } from '@thaw/proto/frames/nack.ts';
import { chunkNumber, type StepRecord } from './step-record.ts';

/** After this many unanswered NACKs, other members are asked for sums too. */
const ownerAttempts = 2;

/** By member asked: what is missing of this step. `attempt` counts the NACKs since the last progress. */
export function missingOf(record: StepRecord, attempt: number): Map<number, Missing[]> {
  const asked = new Map<number, Missing[]>();
  const ask = (member: number, missing: Missing): void => {
    const list = asked.get(member) ?? [];
    if (list.length < missingPerNackMax) list.push(missing);
    asked.set(member, list);
  };
  if (record.done) return asked;
  if (!record.scale) {
    for (const [member, heard] of record.heard.entries()) {
      if (!heard) ask(member, { phase: phases.announce, slice: 0, chunk: 0 });
    }
    return asked;
  }
  eachMissingPart(record, (source, slice, chunk) => ask(source, { phase: phases.part, slice, chunk }));
  eachMissingSum(record, (owner, slice, chunk) => {
    ask(holderOf(record, owner, attempt), { phase: phases.sum, slice, chunk });
  });
  return asked;
}

/** Members without whom this step cannot go on. */
export function waitingFor(record: StepRecord): number[] {
  return [...missingOf(record, 0).keys()].sort((a, b) => a - b);
}

function eachMissingPart(record: StepRecord, visit: (source: number, slice: number, chunk: number) => void): void {
  const { geometry, self, contributions, arrived } = record;
  const { members, windowChunks } = geometry;
  const chunks = contributions.length;
  let first = 0;
  while (first < chunks && contributions[first] === members) first++;
  for (let chunk = first; chunk < Math.min(chunks, first + windowChunks); chunk++) {
    for (let source = 0; source < members; source++) {
      if (source !== self && !arrived[chunk * members + source]) visit(source, self, chunk);
    }
  }
}

function eachMissingSum(record: StepRecord, visit: (owner: number, slice: number, chunk: number) => void): void {
  for (const [slice, { owner }] of record.geometry.slices.entries()) {
    if (owner === record.self) continue;
    for (let chunk = 0; chunk < (record.sent[slice] as number); chunk++) {
      if (!record.isHeld[chunkNumber(record.geometry, slice, chunk)]) visit(owner, slice, chunk);
    }
  }
}

/** The owner at first, then every other member in turn: whoever holds a sum may answer for it. */
function holderOf({ geometry, self }: StepRecord, owner: number, attempt: number): number {
  if (attempt < ownerAttempts) return owner;
  const others = Array.from({ length: geometry.members }, (_, i) => (owner + i) % geometry.members).filter(
    (member) => member !== self,
  );
  return others[(attempt - ownerAttempts + 1) % others.length] ?? owner;
}
