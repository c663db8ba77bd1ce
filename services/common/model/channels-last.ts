// A convolution's kernel from the layout of PyTorch and ONNX to that of TensorFlow.

import type { Tensor } from './graph.ts';

/** [out, in, height, width] to [height, width, in, out]. */
export function channelsLast({ shape, data }: Tensor): Tensor {
  const [outputs = 0, inputs = 0, height = 0, width = 0] = shape;
  const turned = new Float32Array(data.length);
  let from = 0;
  for (let out = 0; out < outputs; out++) {
    for (let into = 0; into < inputs; into++) {
      for (let place = 0; place < height * width; place++) {
        turned[(place * inputs + into) * outputs + out] = data[from++] as number;
      }
    }
  }
  return { shape: [height, width, inputs, outputs], data: turned };
}
