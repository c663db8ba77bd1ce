// One member's side of the all-reduce (protocol sections 3 and 4): events in, effects out. It owns no socket, thread or
// clock. It keeps two steps, the current one and the one before, whose frames it resends for as long as a peer may
// still miss them: by the time a third begins, everybody has announced the second, so nobody needs the first.

import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import {
  type Announcement,
  addFixedPoint,
  decodeAnnouncement,
  encodeAnnouncement,
  fromFixedPoint,
  sumVectors,
} from '@thaw/proto/frames/announcement.ts';
import { type Frame, type Phase, phases, type Refusal, type RefusalReason } from '@thaw/proto/frames/frame.ts';
import { decodeNack, encodeNack, type Missing } from '@thaw/proto/frames/nack.ts';
import { type ChunkPlace, chunkBounds, type Geometry, sendOrder } from './geometry.ts';
import { missingOf, waitingFor } from './missing.ts';
import { type NackPacer, nackPacer } from './nack-pacer.ts';
import { scaleOf } from './scale.ts';
import {
  addPart,
  chunkNumber,
  type Heard,
  keepSum,
  newRecord,
  type StepBuffers,
  type StepRecord,
  takeNextPart,
} from './step-record.ts';

/** A frame to send, but for what the sender itself is: run token, incarnation, generation, source. */
export interface OutgoingFrame {
  readonly to: number | 'everyone';
  readonly phase: Phase;
  readonly step: number;
  readonly slice: number;
  readonly offset: number;
  readonly count: number;
  /** A view into the step's buffers; stable until the step is dropped. */
  readonly payload: Uint8Array;
}

export interface Outcome {
  readonly step: number;
  readonly exponents: Int32Array;
  readonly nonFinite: readonly number[];
  readonly weight: number;
  readonly count: number;
  readonly loss: number;
  readonly correct: number;
  readonly statistics: BigInt64Array;
  /** The lowest plan that every member has acknowledged. */
  readonly acknowledgedPlan: number;
}

export type Effect =
  | { readonly kind: 'send'; readonly frame: OutgoingFrame }
  /** All have announced and every gradient is finite: quantise along the send order. */
  | { readonly kind: 'scaled'; readonly step: number; readonly exponents: Int32Array }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface ExchangeOptions {
  readonly geometry: Geometry;
  readonly self: number;
  readonly tensors: number;
  readonly tensorSet: string;
  readonly shards: number;
}

export interface Exchange {
  /** Starts a step: steps only grow. The buffers' earlier step is dropped. */
  begin(step: number, announcement: Announcement, buffers: StepBuffers): Effect[];
  /** Compute has written this many chunks of the step's send order. */
  made(step: number, chunks: number): Effect[];
  /** A decoded frame of this generation. Throws ProtocolViolation when a member breaks the protocol. */
  receive(frame: Frame): Effect[];
  /** Monotonic milliseconds; call it about every 50. */
  tick(now: number): Effect[];
  waitingFor(): number[];
}

interface State {
  readonly options: ExchangeOptions;
  readonly order: readonly ChunkPlace[];
  current: StepRecord | null;
  previous: StepRecord | null;
  /** By member: its newest announcement of a step that has not begun here. */
  readonly ahead: ({ readonly step: number; readonly bytes: Uint8Array } | null)[];
  progressed: boolean;
  pacer: NackPacer;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { geometry, self } = options;
  const state: State = {
    options,
    order: sendOrder(geometry, self),
    current: null,
    previous: null,
    ahead: Array.from({ length: geometry.members }, () => null),
    progressed: false,
    pacer: nackPacer(),
  };
  return {
    begin: (step, announcement, buffers) => begin(state, step, { announcement, buffers }),
    made: (step, chunks) => made(state, step, chunks),
    receive: (frame) => receive(state, frame),
    tick: (now) => tick(state, now),
    waitingFor: () => (state.current ? waitingFor(state.current) : []),
  };
}

function begin(state: State, step: number, own: { announcement: Announcement; buffers: StepBuffers }): Effect[] {
  const { options, ahead } = state;
  const { geometry, self } = options;
  const { current } = state;
  invariant(current === null || (current.done && step > current.step), `step ${step} begun before the last one ended`);
  const record = newRecord(step, self, geometry, own.buffers);
  state.previous = current;
  state.current = record;
  state.progressed = true;
  const bytes = encodeAnnouncement(own.announcement);
  record.heard[self] = { bytes, announcement: own.announcement };
  const effects: Effect[] = [];
  if (geometry.members > 1) effects.push(send('everyone', announcementFrame(step, bytes)));
  for (const [member, early] of ahead.entries()) {
    if (early?.step === step) hear(state, record, member, early.bytes);
    if (early && early.step <= step) ahead[member] = null;
  }
  return effects.concat(scaleWhenAllHeard(state, record));
}

function receive(state: State, frame: Frame): Effect[] {
  if (frame.phase === phases.announce) return receiveAnnouncement(state, frame);
  const record = recordOf(state, frame.step);
  if (frame.phase === phases.nack) return record ? answer(state, record, frame) : [];
  if (!record || (frame.phase === phases.sum && !record.scale)) return [refuse(state, frame)];
  return receiveChunk(state, record, frame);
}

function recordOf({ current, previous }: State, step: number): StepRecord | null {
  if (current?.step === step) return current;
  return previous?.step === step ? previous : null;
}

function refuse({ current }: State, frame: Frame): Effect {
  const refused: RefusalReason = current && frame.step < current.step ? 'staleStep' : 'aheadStep';
  const message = `a frame of step ${frame.step} from member ${frame.source}; this member is at ${current?.step ?? 'no step'}`;
  return { kind: 'refused', refusal: { refused, message } };
}

function receiveAnnouncement(state: State, frame: Frame): Effect[] {
  const { current, ahead } = state;
  const record = recordOf(state, frame.step);
  if (record) {
    hear(state, record, frame.source, frame.payload);
    return scaleWhenAllHeard(state, record);
  }
  if (current && (frame.step < current.step || frame.step > current.step + 1)) return [refuse(state, frame)];
  const early = ahead[frame.source];
  if (!early || early.step < frame.step) ahead[frame.source] = { step: frame.step, bytes: copyOf(frame.payload) };
  return [];
}

function hear(state: State, record: StepRecord, member: number, bytes: Uint8Array): void {
  const heard = record.heard[member];
  if (heard) {
    if (Buffer.compare(heard.bytes, bytes) === 0) return;
    throw violation(`member ${member} announced step ${record.step} twice, and differently`);
  }
  const kept = copyOf(bytes);
  const announcement = decodeAnnouncement(kept);
  const { tensorSet, tensors } = state.options;
  if (announcement.tensorSet !== tensorSet || announcement.maxima.length !== tensors) {
    throw violation(
      `member ${member} announced step ${record.step} for tensor set ${announcement.tensorSet.slice(0, 12)} with ` +
        `${announcement.maxima.length} tensors; this member trains ${tensorSet.slice(0, 12)} with ${tensors}`,
    );
  }
  record.heard[member] = { bytes: kept, announcement };
  state.progressed = true;
}

function scaleWhenAllHeard({ options }: State, record: StepRecord): Effect[] {
  const all = record.heard.filter((heard): heard is Heard => heard !== null);
  if (record.scale || all.length < options.geometry.members) return [];
  const maxima = all.map(({ announcement }) => announcement.maxima);
  requireSameStatistics(record, all);
  record.scale = scaleOf(maxima, options.tensors, options.shards);
  if (record.scale.nonFinite.length > 0 || options.geometry.chunks === 0) return [finish(record)];
  if (maxima.every((ofMember) => ofMember.every((bits) => bits === 0))) {
    // Every integer is 0 and so is their sum: there is nothing to send.
    record.sums.fill(0);
    return [finish(record)];
  }
  return [{ kind: 'scaled', step: record.step, exponents: record.scale.exponents }];
}

/** Either every shard measures in a step or none does; a member without shards has nothing to say. */
function requireSameStatistics({ step }: StepRecord, heard: readonly Heard[]): void {
  const lengths = new Set(heard.map(({ announcement }) => announcement.statistics.length).filter((size) => size > 0));
  if (lengths.size <= 1) return;
  throw violation(`members announced step ${step} with ${[...lengths].join(' and ')} statistics; expected one number`);
}

function made(state: State, step: number, chunks: number): Effect[] {
  const record = state.current;
  invariant(record?.step === step && record.scale !== null, `parts of step ${step} made before its scale was known`);
  const effects: Effect[] = [];
  for (; record.made < chunks; record.made++) {
    const place = state.order[record.made];
    invariant(place !== undefined, `more parts made than the ${state.order.length} that there are`);
    record.isMade[chunkNumber(record.geometry, place.slice, place.chunk)] = 1;
    if (place.slice !== record.self) sendParts(record, place.slice, effects);
    else
      contribute(record, { source: record.self, place, part: record.parts.subarray(place.start, place.end) }, effects);
  }
  finishWhenComplete(record, effects);
  return effects;
}

function receiveChunk(state: State, record: StepRecord, frame: Frame): Effect[] {
  const place = placeOf(record.geometry, frame);
  const { payload } = frame;
  const values = new Int32Array(payload.buffer, payload.byteOffset, payload.length / 4);
  const effects: Effect[] = [];
  const before = record.held;
  if (frame.phase === phases.sum) {
    if (keepSum(record, place, values)) sendParts(record, place.slice, effects);
  } else {
    if (place.slice !== record.self) throw violation(`member ${frame.source} sent a part of slice ${place.slice} here`);
    contribute(record, { source: frame.source, place, part: values }, effects);
  }
  state.progressed ||= record === state.current && (record.held > before || frame.phase === phases.part);
  finishWhenComplete(record, effects);
  return effects;
}

function contribute(
  record: StepRecord,
  { source, place, part }: { source: number; place: ChunkPlace; part: Int32Array },
  effects: Effect[],
): void {
  if (!addPart(record, source, place, part)) return;
  if (record.geometry.members > 1) effects.push(send('everyone', chunkFrame(record, phases.sum, place)));
}

function sendParts(record: StepRecord, slice: number, effects: Effect[]): void {
  const owner = record.geometry.slices[slice]?.owner;
  if (owner === undefined || owner === record.self) return;
  for (let chunk = takeNextPart(record, slice); chunk !== null; chunk = takeNextPart(record, slice)) {
    effects.push(send(owner, chunkFrame(record, phases.part, placeAt(record.geometry, slice, chunk))));
  }
}

function finishWhenComplete(record: StepRecord, effects: Effect[]): void {
  if (!record.done && record.held === record.geometry.chunks) effects.push(finish(record));
}

function finish(record: StepRecord): Effect {
  invariant(record.scale !== null, 'a step ended before its scale was known');
  record.done = true;
  const announcements = record.heard.map((heard) => heard?.announcement).filter((heard) => heard !== undefined);
  const sum = (field: 'weight' | 'loss' | 'correct'): number =>
    fromFixedPoint(announcements.reduce((total, announcement) => addFixedPoint(total, announcement[field]), 0n));
  return {
    kind: 'done',
    outcome: {
      step: record.step,
      ...record.scale,
      weight: sum('weight'),
      count: Number(announcements.reduce((total, { count }) => total + count, 0n)),
      loss: sum('loss'),
      correct: sum('correct'),
      statistics: sumVectors(announcements.map(({ statistics }) => statistics).filter(({ length }) => length > 0)),
      acknowledgedPlan: Math.min(...announcements.map(({ acknowledgedPlan }) => acknowledgedPlan)),
    },
  };
}

function tick(state: State, now: number): Effect[] {
  const record = state.current;
  if (!record) return [];
  const attempt = state.pacer.tick(now, state.progressed || record.done);
  state.progressed = false;
  if (attempt === null) return [];
  return Array.from(missingOf(record, attempt), ([member, missing]) => {
    const payload = encodeNack(missing);
    return send(member, { phase: phases.nack, step: record.step, slice: 0, offset: 0, count: payload.length, payload });
  });
}

/** Resends what is asked for and held; what is not held yet will come by itself. */
function answer({ options }: State, record: StepRecord, frame: Frame): Effect[] {
  const frames: OutgoingFrame[] = [];
  for (const missing of decodeNack(frame.payload)) {
    const held = missing.phase === phases.announce ? ownAnnouncement(record) : heldChunk(record, missing);
    if (held) frames.push({ ...held, to: frame.source });
  }
  invariant(frame.source !== options.self, 'a member asked itself');
  return frames.map((held) => ({ kind: 'send', frame: held }));
}

function ownAnnouncement(record: StepRecord): Omit<OutgoingFrame, 'to'> | null {
  const own = record.heard[record.self];
  return own ? announcementFrame(record.step, own.bytes) : null;
}

function heldChunk(record: StepRecord, { phase, slice, chunk }: Missing): Omit<OutgoingFrame, 'to'> | null {
  const chunks = record.geometry.slices[slice]?.chunks ?? 0;
  if (chunk >= chunks) throw violation(`a NACK asks for chunk ${chunk} of slice ${slice}, which has ${chunks}`);
  const isSent = chunk < (record.sent[slice] as number);
  const held = phase === phases.part ? isSent : record.isHeld[chunkNumber(record.geometry, slice, chunk)];
  return held ? chunkFrame(record, phase, placeAt(record.geometry, slice, chunk)) : null;
}

function placeAt(geometry: Geometry, slice: number, chunk: number): ChunkPlace {
  const found = geometry.slices[slice];
  invariant(found !== undefined, `slice ${slice} of ${geometry.slices.length}`);
  return { slice, chunk, ...chunkBounds(geometry, found, chunk) };
}

/** Where a received chunk belongs. Throws when it does not fit the cut that every member has made. */
function placeOf(geometry: Geometry, frame: Frame): ChunkPlace {
  const slice = geometry.slices[frame.slice];
  const chunk = slice ? (frame.offset - slice.start) / geometry.chunkElements : -1;
  if (!slice || !Number.isInteger(chunk) || chunk < 0 || chunk >= slice.chunks) {
    throw violation(`member ${frame.source} sent offset ${frame.offset} of slice ${frame.slice}, which is no chunk`);
  }
  const place = placeAt(geometry, frame.slice, chunk);
  if (frame.count !== place.end - place.start || frame.payload.length !== frame.count * 4) {
    throw violation(`member ${frame.source} sent ${frame.count} elements for a chunk of ${place.end - place.start}`);
  }
  return place;
}

function chunkFrame(record: StepRecord, phase: Phase, place: ChunkPlace): Omit<OutgoingFrame, 'to'> {
  const { start, end, slice } = place;
  const values = (phase === phases.part ? record.parts : record.sums).subarray(start, end);
  const payload = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { phase, step: record.step, slice, offset: start, count: end - start, payload };
}

function announcementFrame(step: number, payload: Uint8Array): Omit<OutgoingFrame, 'to'> {
  return { phase: phases.announce, step, slice: 0, offset: 0, count: payload.length, payload };
}

function send(to: number | 'everyone', frame: Omit<OutgoingFrame, 'to'>): Effect {
  return { kind: 'send', frame: { ...frame, to } };
}

/** Buffer.slice would be a view, and the receive buffer is overwritten by the next frame. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function violation(message: string): ThawError {
  return new ThawError('ProtocolViolation', message);
}
