// The matrix product of tfjs' wasm backend, with transposes made before it. The backend multiplies by XNNPACK only what
// is not transposed, and everything else by a plain loop that takes ten times as long; every gradient of a dense layer or
// a 1x1 convolution is a product with one side transposed.

import * as tf from '@tensorflow/tfjs-core';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { composeKernel, wasmBackend } from './compose-kernel.ts';

interface ProductAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

export function replaceMatrixProduct(): void {
  const plain = tf.getKernel('BatchMatMul', wasmBackend);
  invariant(plain !== undefined, 'the wasm backend multiplies matrices');
  composeKernel<ProductAttributes>('BatchMatMul', ({ a, b }, { transposeA, transposeB }) => {
    const inputs = { a: upright(a as tf.Tensor, transposeA), b: upright(b as tf.Tensor, transposeB) };
    const attrs = { transposeA: false, transposeB: false };
    const product = plain.kernelFunc({ inputs, attrs, backend: tf.backend() });
    return tf.engine().makeTensorFromTensorInfo(product as tf.TensorInfo);
  });
}

/** The matrix as it is multiplied: its last two axes swapped where it was given transposed. */
function upright(matrix: tf.Tensor, isTransposed: boolean): tf.Tensor {
  if (!isTransposed) return matrix;
  const axes = [...matrix.shape.keys()];
  const [rows, columns] = axes.splice(-2) as [number, number];
  return tf.transpose(matrix, [...axes, columns, rows]);
}
