// The memory that compute and comms share for one opening of the collective. Each buffer is FREE, FILLING (its writer's)
// or SHARED (read only), tagged with the generation and step it is for; only Atomics move it, and a move that does not
// fit is a defect that stops the run.

import { invariant } from '@thaw/common/errors/thaw-error.ts';
import type { StepBuffers } from './core/step-record.ts';

const states = { free: 0, filling: 1, shared: 2 } as const;
const stateNames = ['FREE', 'FILLING', 'SHARED'];

/** Parts and sums alternate by the step's parity; gradients are needed only until they are quantised. */
export const buffers = { gradients: 0, parts: 1, sums: 3 } as const;
const bufferCount = 5;
const wordsPerBuffer = 3;

export interface SharedMemory {
  /** [hosted shard][element] */
  readonly gradients: SharedArrayBuffer;
  readonly parts: readonly [SharedArrayBuffer, SharedArrayBuffer];
  readonly sums: readonly [SharedArrayBuffer, SharedArrayBuffer];
  /** [buffer][state, generation, step] */
  readonly words: SharedArrayBuffer;
}

/** Bytes from one shard's gradient to the next: all begin aligned to 64 bytes. */
export function gradientStrideBytes(length: number): number {
  return Math.ceil(length / 16) * 64;
}

/** Takes the vectors of `reuse` where they are long enough; the words are always new. */
export function allocate(length: number, hostedShards: number, reuse: SharedMemory | null): SharedMemory {
  const vector = (old: SharedArrayBuffer | undefined, bytes: number): SharedArrayBuffer =>
    old && old.byteLength === bytes ? old : new SharedArrayBuffer(bytes);
  const bytes = length * 4;
  return {
    gradients: vector(reuse?.gradients, gradientStrideBytes(length) * hostedShards),
    parts: [vector(reuse?.parts[0], bytes), vector(reuse?.parts[1], bytes)],
    sums: [vector(reuse?.sums[0], bytes), vector(reuse?.sums[1], bytes)],
    words: new SharedArrayBuffer(bufferCount * wordsPerBuffer * 4),
  };
}

const parity = (step: number): 0 | 1 => ((step & 1) === 0 ? 0 : 1);

export function stepBuffers({ parts, sums }: SharedMemory, step: number): StepBuffers {
  return { parts: new Int32Array(parts[parity(step)]), sums: new Int32Array(sums[parity(step)]) };
}

/** The moves of one buffer; `buffer` is gradients, parts or sums, the latter two by parity of the step. */
export function bufferWords(memory: SharedMemory, generation: number) {
  const words = new Int32Array(memory.words);
  const at = (buffer: number, step: number): number =>
    (buffer === buffers.gradients ? buffer : buffer + parity(step)) * wordsPerBuffer;
  const move = (buffer: number, step: number, change: { from: number; to: number }): void => {
    const found = Atomics.compareExchange(words, at(buffer, step), change.from, change.to);
    invariant(
      found === change.from,
      `buffer ${buffer} of step ${step} is ${stateNames[found]}, last used in generation ` +
        `${Atomics.load(words, at(buffer, step) + 1)}, step ${Atomics.load(words, at(buffer, step) + 2)}; ` +
        `it has to be ${stateNames[change.from]}`,
    );
  };
  return {
    /** FREE → FILLING */
    fill(buffer: number, step: number): void {
      move(buffer, step, { from: states.free, to: states.filling });
      Atomics.store(words, at(buffer, step) + 1, generation);
      Atomics.store(words, at(buffer, step) + 2, step);
    },
    isFilling(buffer: number, step: number): boolean {
      const isFilling = Atomics.load(words, at(buffer, step)) === states.filling;
      return isFilling && Atomics.load(words, at(buffer, step) + 2) === step;
    },
    /** FILLING → SHARED */
    share: (buffer: number, step: number): void => move(buffer, step, { from: states.filling, to: states.shared }),
    /** SHARED → FREE; a buffer that was never used stays FREE. */
    free(buffer: number, step: number): void {
      if (Atomics.load(words, at(buffer, step)) === states.free) return;
      move(buffer, step, { from: states.shared, to: states.free });
    },
  };
}

export type BufferWords = ReturnType<typeof bufferWords>;
