// Reads the constants of an ONNX file: names, shapes, float32 values. The graph is not looked at: whoever asks knows
// which network it is. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Tensor } from '@thaw/common/model/graph.ts';
import protobuf from 'protobufjs';

const float32 = 1;

const model = protobuf.Root.fromJSON({
  nested: {
    Model: { fields: { graph: { type: 'Graph', id: 7 } } },
    Graph: { fields: { initializer: { rule: 'repeated', type: 'Tensor', id: 5 } } },
    Tensor: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
      },
    },
  },
}).lookupType('Model');

interface Decoded {
  readonly graph?: { readonly initializer?: readonly Initializer[] };
}

interface Initializer {
  readonly dims?: readonly number[];
  readonly dataType?: number;
  readonly name?: string;
  readonly rawData?: Uint8Array;
}

/** Those that are not float32 are passed over. `what` names the file. Throws ModelInvalid. */
export function readOnnxWeights(file: Uint8Array, what: string): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const { name = '', dims = [], dataType, rawData = new Uint8Array(0) } of initializers(file, what)) {
    if (dataType !== float32) continue;
    const elements = dims.reduce((product, size) => product * size, 1);
    if (rawData.length !== elements * Float32Array.BYTES_PER_ELEMENT) {
      throw invalid(`${what}: ${name}: found ${rawData.length} bytes; expected ${elements} numbers of 4`);
    }
    // The bytes lie anywhere in the file; copied, they are aligned.
    tensors.set(name, { shape: dims, data: new Float32Array(new Uint8Array(rawData).buffer) });
  }
  if (tensors.size > 0) return tensors;
  throw invalid(`${what}: found no weights; expected an ONNX model with float32 initializers`);
}

function initializers(file: Uint8Array, what: string): readonly Initializer[] {
  try {
    const decoded = model.toObject(model.decode(file), { longs: Number }) as Decoded;
    return decoded.graph?.initializer ?? [];
  } catch (cause) {
    throw invalid(`${what} is no whole ONNX file: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

function invalid(message: string, cause?: unknown): ThawError {
  return new ThawError('ModelInvalid', message, { cause });
}
