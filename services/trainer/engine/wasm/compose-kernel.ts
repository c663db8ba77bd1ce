// Registers a kernel of tfjs' wasm backend as a composition of kernels that the backend has. tfjs records nothing for
// gradients while a kernel runs, so none of what a composition does lands on a tape.

import * as tf from '@tensorflow/tfjs-core';

export const wasmBackend = 'wasm';

/** A kernel's inputs by the names that tfjs gives them. */
export type Inputs = Readonly<Record<string, tf.Tensor>>;

/** `compose` frees nothing; replaces a kernel of that name, keeping its set-up. */
export function composeKernel<Attributes extends object>(
  kernelName: string,
  compose: (inputs: Inputs, attributes: Attributes) => tf.Tensor,
): void {
  const replaced = tf.getKernel(kernelName, wasmBackend);
  if (replaced) tf.unregisterKernel(kernelName, wasmBackend);
  tf.registerKernel({
    ...replaced,
    kernelName,
    backendName: wasmBackend,
    kernelFunc: ({ inputs, attrs, backend }) =>
      tf.tidy(() => compose(tensorsOf(inputs, backend as tf.KernelBackend), attrs as unknown as Attributes)),
  });
}

/** Tensors of the composition's own over the same data, which stay with whoever called the kernel. */
function tensorsOf(inputs: tf.NamedTensorInfoMap, backend: tf.KernelBackend): Inputs {
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, info] of Object.entries(inputs)) {
    if (info === undefined) continue;
    backend.incRef(info.dataId);
    tensors[name] = tf.engine().makeTensorFromTensorInfo(info);
  }
  return tensors;
}
