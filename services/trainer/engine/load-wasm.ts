// Loads TensorFlow.js' WebAssembly backend: the engine of machines for which there is no TensorFlow library. The backend
// is made for inference; what training needs beyond it is composed here of what it has. One thread, always.

import * as tf from '@tensorflow/tfjs-core';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EngineClass, EngineOptions } from './engine.ts';
import { runtimeVersions } from './runtime-versions.ts';
import { composeConvolutionGradients } from './wasm/convolution-gradients.ts';
import { composeDepthwiseGradients } from './wasm/depthwise-gradients.ts';
import { replaceLeadingSum } from './wasm/leading-sum.ts';
import { replaceMatrixProduct } from './wasm/matrix-product.ts';
import { composeMaxPoolGradient } from './wasm/max-pool-gradient.ts';

let isLoaded = false;

/** Throws EngineUnavailable for a GPU, for other than one thread, or where Node has no SIMD. */
export async function loadWasm({ threads, gpus }: EngineOptions): Promise<EngineClass> {
  if (gpus > 0) {
    throw new ThawError('EngineUnavailable', 'engine "wasm" computes on the processor and uses no GPU; set gpus: 0');
  }
  if (threads !== 1) {
    throw new ThawError('EngineUnavailable', `engine "wasm" computes on one thread; found trainers.threads ${threads}`);
  }
  await import('@tensorflow/tfjs-backend-wasm');
  // tfjs-core by itself has operations and no gradients; its layers library brings them, as tfjs-node does.
  await import('@tensorflow/tfjs-layers');
  await requireSimd();
  if (!isLoaded) composeKernels();
  isLoaded = true;
  const version = `tfjs-backend-wasm ${tf.version_core}, ${runtimeVersions()}`;
  // XNNPACK has other code for a WebAssembly engine on ARM than for one on x64.
  return { engine: 'wasm', version, device: 'CPU', cpuFeatures: `wasm simd ${process.arch}`, threads };
}

/** Before the backend starts: it sets its kernels up then, those that are replaced here too. */
function composeKernels(): void {
  replaceMatrixProduct();
  replaceLeadingSum();
  composeConvolutionGradients();
  composeDepthwiseGradients();
  composeMaxPoolGradient();
}

/** Without SIMD the backend would quietly load other code, of other bits. */
async function requireSimd(): Promise<void> {
  const isThreaded = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
  invariant(isThreaded === false, 'the wasm backend has threads under Node, which could change the bits');
  if ((await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true) return;
  throw new ThawError('EngineUnavailable', `engine "wasm" needs WebAssembly SIMD, which this Node.js does not have`);
}
