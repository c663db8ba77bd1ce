// The loops over gradients and their integers, as WebAssembly SIMD (vector-kernels.wat): the vectors lie in shared
// memory, which such code cannot address beside its own, so they pass through its two pages block by block.
// Bits are those of float64 arithmetic with one rounding, half to even; the tests hold them against BigInt.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { vectorKernelsBase64 } from './gen/vector-kernels.ts';

/** What is used of it; its whole type comes only with a browser's. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  validate(code: Uint8Array): boolean;
};

interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  largestMagnitude(bytes: number): number;
  quantise(bytes: number, factor: number): void;
  quantiseAdd(bytes: number, factor: number): void;
  add(bytes: number): void;
  dequantise(bytes: number, factor: number): void;
}

interface Loaded {
  readonly kernels: Kernels;
  /** The page that is read and the one that is written, each both ways. */
  readonly read: { readonly floats: Float32Array; readonly integers: Int32Array };
  readonly made: { readonly floats: Float32Array; readonly integers: Int32Array };
}

export interface ScaledRange {
  readonly start: number;
  readonly end: number;
  readonly exponent: number;
}

const elementBytes = 4;
const blockElements = (64 * 1024) / elementBytes;
const groupElements = 4;

let loaded: Loaded | null = null;

/** Compiles them once a thread. Throws EngineUnavailable where the processor has no SIMD that Node can use. */
export function loadVectorKernels(): Loaded {
  if (loaded) return loaded;
  const code = Buffer.from(vectorKernelsBase64, 'base64');
  if (!WebAssembly.validate(code)) {
    throw new ThawError(
      'EngineUnavailable',
      'this Node compiles no WebAssembly SIMD here; expected a processor with SSE4.1 (x86) or Neon (arm64)',
    );
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
  const kernels = exports as Kernels;
  const page = (at: number) => ({
    floats: new Float32Array(kernels.memory.buffer, at * blockElements * elementBytes, blockElements),
    integers: new Int32Array(kernels.memory.buffer, at * blockElements * elementBytes, blockElements),
  });
  loaded = { kernels, read: page(0), made: page(1) };
  return loaded;
}

/** Bits of the largest |g| in [start, end), NaN and infinity included. */
export function largestMagnitude(gradient: Float32Array, start: number, end: number): number {
  const { kernels, read } = loadVectorKernels();
  let largest = 0;
  eachBlock(start, end, (from, to, at) => {
    const until = at + to - from;
    read.floats.fill(0, 0, at);
    read.floats.set(gradient.subarray(from, to), at);
    read.floats.fill(0, until, until + groupElements);
    largest = Math.max(largest, kernels.largestMagnitude(until * elementBytes));
  });
  return largest;
}

/** target = the sum over gradients of roundHalfEven(gradient x 2^exponent) in [start, end); of at least one. */
export function quantiseSum(target: Int32Array, gradients: readonly Float32Array[], range: ScaledRange): void {
  const { kernels, read, made } = loadVectorKernels();
  const factor = 2 ** range.exponent;
  eachBlock(range.start, range.end, (from, to, at) => {
    const until = at + to - from;
    for (const [i, gradient] of gradients.entries()) {
      read.floats.set(gradient.subarray(from, to), at);
      if (i === 0) kernels.quantise(until * elementBytes, factor);
      else kernels.quantiseAdd(until * elementBytes, factor);
    }
    target.set(made.integers.subarray(at, until), from);
  });
}

/** target[at ...] = a + b, wrapping as int32 does; the scale keeps every partial sum in range. One may be the target. */
export function writeSum(target: Int32Array, at: number, a: Int32Array, b: Int32Array): void {
  const { kernels, read, made } = loadVectorKernels();
  eachBlock(at, at + a.length, (from, to, lead) => {
    const until = lead + to - from;
    read.integers.set(a.subarray(from - at, to - at), lead);
    made.integers.set(b.subarray(from - at, to - at), lead);
    kernels.add(until * elementBytes);
    target.set(made.integers.subarray(lead, until), from);
  });
}

/** target = sums x 2^-exponent as float32 in [start, end). */
export function dequantiseRange(target: Float32Array, sums: Int32Array, range: ScaledRange): void {
  const { kernels, read, made } = loadVectorKernels();
  const factor = 2 ** -range.exponent;
  eachBlock(range.start, range.end, (from, to, at) => {
    const until = at + to - from;
    read.integers.set(sums.subarray(from, to), at);
    kernels.dequantise(until * elementBytes, factor);
    target.set(made.floats.subarray(at, until), from);
  });
}

/**
 * Cuts [start, end) at whole blocks. A block that starts at an odd element lies one element into its page: copies from
 * and to shared memory go byte by byte, at a tenth of the speed, unless both sides are equally aligned to 8 bytes.
 */
function eachBlock(start: number, end: number, work: (from: number, to: number, at: number) => void): void {
  for (let from = start; from < end; ) {
    const at = from & 1;
    const to = Math.min(end, from - at + blockElements);
    work(from, to, at);
    from = to;
  }
}
