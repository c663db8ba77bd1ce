// Reads and writes the weights of a tfjs layers-model: named tensors one after the other in one byte string, float32,
// float16, or quantised to 8 or 16 bits with a scale and a minimum per tensor.

import { ThawError } from '../errors/thaw-error.ts';
import { requireFinite } from './finite-weights.ts';
import type { Tensor, Weights } from './graph.ts';

export interface StoredWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

const bytesPerElement: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['float16', 2],
  ['uint16', 2],
  ['uint8', 1],
]);

/** `what` names the file in errors. Throws ModelInvalid when bytes are missing or left over, or a weight is no number. */
export function decodeWeights(stored: readonly StoredWeight[], bytes: Uint8Array, what: string): Weights {
  const weights = new Map<string, Tensor>();
  let offset = 0;
  for (const weight of stored) {
    requireSound(weight, what);
    if (weights.has(weight.name)) throw invalid(`${what}: two tensors are called ${weight.name}`);
    const type = weight.quantization?.dtype ?? weight.dtype;
    const size = bytesPerElement.get(type);
    if (size === undefined)
      throw invalid(`${what}: ${weight.name}: found type ${type}; expected float32 or a quantised one`);
    const count = weight.shape.reduce((product, length) => product * length, 1);
    const end = offset + count * size;
    if (end > bytes.length) {
      throw invalid(`${what} is truncated: ${weight.name} ends at byte ${end}, the file has ${bytes.length}`);
    }
    // A copy, because a tensor may start at any byte; not slice(), which gives a view where the bytes are a Buffer.
    const own = new Uint8Array(bytes.subarray(offset, end));
    const data = decode(weight, type, own);
    requireFinite(data, `${what}: ${weight.name}`);
    weights.set(weight.name, { shape: weight.shape, data });
    offset = end;
  }
  if (offset !== bytes.length)
    throw invalid(`${what}: found ${bytes.length} bytes; expected ${offset} for its tensors`);
  return weights;
}

/** The manifest is part of a file that anybody may have written. */
function requireSound(weight: StoredWeight | null, what: string): void {
  const { name, shape, dtype } = weight ?? {};
  const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;
  if (typeof name === 'string' && typeof dtype === 'string' && Array.isArray(shape) && shape.every(isSize)) return;
  throw invalid(
    `${what}: found the weight entry ${JSON.stringify({ name, shape, dtype })}; expected name, shape, dtype`,
  );
}

function decode({ quantization }: StoredWeight, type: string, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const { scale = 1, min = 0 } = quantization ?? {};
  switch (type) {
    case 'uint8':
      return Float32Array.from(bytes, (value) => value * scale + min);
    case 'uint16':
      return Float32Array.from(new Uint16Array(bytes.buffer), (value) => value * scale + min);
    case 'float16':
      return Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat);
    default:
      return new Float32Array(bytes.buffer);
  }
}

/** IEEE 754 binary16. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function invalid(message: string): ThawError {
  return new ThawError('ModelInvalid', message);
}
