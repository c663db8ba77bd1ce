// What training has changed: for every tensor that any stage has trained or measured its value, its optimizer slots and its count
// of updates. A tensor that a later stage freezes again stays in the state. Encoded as safetensors, versioned.

import { createHash } from 'node:crypto';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Optimizer } from '@thaw/common/job/resolved-job.ts';
import type { WeightSpec, Weights } from '@thaw/common/model/graph.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import {
  type NamedTensor,
  readFloatTensors,
  readSafetensors,
  writeSafetensors,
} from '@thaw/common/tensors/safetensors.ts';
import { averagePrefix, slotPrefix } from '@thaw/common/tensors/state-names.ts';
import { slotNames } from './optimizers.ts';
import type { WeightAverage } from './weight-averages.ts';

const stateVersion = 1;

export interface TensorState {
  readonly shape: readonly number[];
  /** Changed in place by applyUpdate. */
  readonly value: Float32Array;
  /** Optimizer slots by name, shaped like the value; changed in place. */
  readonly slots: Map<string, Float32Array>;
  /** Updates applied to this tensor since its slots were zero; of statistics: how often they moved. */
  updates: number;
  /** Of a stage that averages, once the tensor was updated. */
  average?: WeightAverage;
}

export type TrainState = Map<string, TensorState>;

/**
 * Adds what a stage trains. Tensors held already keep their value and, unless `reset`, their slots and count where the
 * optimizer has the same slots; new ones start at the source.
 */
export function enterStage(
  state: TrainState,
  specs: readonly WeightSpec[],
  options: { readonly optimizer: Optimizer; readonly reset: boolean; readonly source: Weights },
): void {
  for (const { name, shape } of specs) {
    const held = state.get(name);
    const source = options.source.get(name);
    invariant(held !== undefined || source !== undefined, `${name} has no value at the source`);
    const value = held?.value ?? Float32Array.from(source?.data ?? []);
    const wanted = slotNames(options.optimizer);
    const keep = held !== undefined && !options.reset && wanted.every((slot) => held.slots.has(slot));
    const slots = wanted.map(
      (slot) => [slot, (keep && held.slots.get(slot)) || new Float32Array(value.length)] as const,
    );
    const average = held?.average && { average: held.average };
    state.set(name, { shape, value, slots: new Map(slots), updates: keep ? held.updates : 0, ...average });
  }
}

/** Adds moving statistics: state without an optimizer. What is held already keeps its value. */
export function holdStatistics(state: TrainState, names: readonly string[], source: Weights): void {
  for (const name of names) {
    const tensor = source.get(name);
    invariant(tensor !== undefined, `${name} has no value at the source`);
    if (state.has(name)) continue;
    state.set(name, { shape: tensor.shape, value: Float32Array.from(tensor.data), slots: new Map(), updates: 0 });
  }
}

/** Hex sha256 over names, shapes, counts, values and slots in byte order of the names. */
export function stateDigest(state: TrainState): string {
  const hash = createHash('sha256');
  for (const name of [...state.keys()].sort(compareNames)) {
    const { shape, value, slots, updates, average } = state.get(name) as TensorState;
    hash.update(`${name} [${shape}] ${updates}\n`).update(bytesOf(value));
    for (const slot of [...slots.keys()].sort(compareNames)) {
      hash.update(`${slot}\n`).update(bytesOf(slots.get(slot) as Float32Array));
    }
    if (average) hash.update(`average ${average.stage}\n`).update(bytesOf(average.values));
  }
  return hash.digest('hex');
}

/**
 * Tensors under their names, slots as `slot/SLOT/NAME`, averages as `average/NAME`. Equal states give equal bytes, however
 * they came about. `scheduleState`: kept as it is, for the coordinator.
 */
export function encodeState(state: TrainState, scheduleState: string): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, NamedTensor>();
  const updates: Record<string, number> = {};
  const averaged: Record<string, number> = {};
  for (const name of [...state.keys()].sort(compareNames)) {
    const tensor = state.get(name) as TensorState;
    tensors.set(name, { shape: tensor.shape, data: tensor.value });
    for (const [slot, data] of tensor.slots) tensors.set(`${slotPrefix}${slot}/${name}`, { shape: tensor.shape, data });
    updates[name] = tensor.updates;
    if (!tensor.average) continue;
    tensors.set(averagePrefix + name, { shape: tensor.shape, data: tensor.average.values });
    averaged[name] = tensor.average.stage;
  }
  return writeSafetensors(tensors, {
    kind: 'thaw-state',
    version: String(stateVersion),
    updates: JSON.stringify(updates),
    ...(Object.keys(averaged).length > 0 && { averaged: JSON.stringify(averaged) }),
    schedule: scheduleState,
  });
}

/** Throws VersionUnknown or ModelInvalid. */
export function decodeState(bytes: Uint8Array, what: string): TrainState {
  const { metadata } = readSafetensors(bytes, what);
  if (metadata.kind !== 'thaw-state' || metadata.version !== String(stateVersion)) {
    throw new ThawError(
      'VersionUnknown',
      `${what}: found ${metadata.kind ?? 'no kind'} version ${metadata.version ?? 'none'}; this Thaw reads thaw-state version ${stateVersion}`,
    );
  }
  const updates = JSON.parse(metadata.updates ?? '{}') as Record<string, number>;
  const averaged = JSON.parse(metadata.averaged ?? '{}') as Record<string, number>;
  const state: TrainState = new Map();
  const tensors = readFloatTensors(bytes, what);
  for (const [name, { shape, data }] of tensors) {
    if (!name.startsWith(slotPrefix) && !name.startsWith(averagePrefix))
      state.set(name, { shape, value: data, slots: new Map(), updates: updates[name] ?? 0 });
  }
  for (const [name, { data }] of tensors) {
    const [, slot = '', tensor = ''] = /^slot\/([^/]+)\/(.+)$/.exec(name) ?? [];
    if (name.startsWith(slotPrefix)) state.get(tensor)?.slots.set(slot, data);
    const trained = name.startsWith(averagePrefix) ? name.slice(averagePrefix.length) : '';
    const held = state.get(trained);
    if (held) held.average = { stage: averaged[trained] ?? 0, values: data };
  }
  return state;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
