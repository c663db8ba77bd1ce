// Loads the TensorFlow library through tfjs-node's addon and says exactly what was loaded. Threads are fixed before
// the library starts, because they decide the bits.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EngineClass, EngineOptions } from './engine.ts';
import { runtimeVersions } from './runtime-versions.ts';

/** Processor features that make TensorFlow choose other code, and so other bits. */
const relevantFeatures = [
  'avx',
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
  'amx_bf16',
  'asimd',
  'sve',
];

interface TensorflowNode {
  readonly version: { readonly 'tfjs-node'?: string };
  findBackend(name: 'tensorflow'): {
    readonly isUsingGpuDevice: boolean;
    readonly binding: { readonly TF_Version: string };
  };
}

export async function loadTensorflow({ threads, gpus }: EngineOptions): Promise<EngineClass> {
  Object.assign(process.env, environmentOf(threads, gpus));
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const node = requireAddon();
  const { isUsingGpuDevice, binding } = node.findBackend('tensorflow');
  if (gpus > 0 && !isUsingGpuDevice) {
    throw new ThawError(
      'EngineUnavailable',
      `trainers.gpus is ${gpus}, but TensorFlow sees no GPU; set gpus: 0 to train on the processor, or see \`./thaw doctor\``,
    );
  }
  return {
    engine: 'tensorflow',
    version: `tfjs-node ${node.version['tfjs-node'] ?? '4.22.0'}, tensorflow ${binding.TF_Version}, ${runtimeVersions()}`,
    device: isUsingGpuDevice ? 'GPU' : 'CPU',
    cpuFeatures: await cpuFeatures(),
    threads,
  };
}

/**
 * What decides the bits is set here and not left to the caller's environment. The library reads it while it loads, and
 * says on stderr, whatever the log level, that oneDNN is on: the process that starts a trainer keeps that line.
 */
function environmentOf(threads: number, gpus: number): Readonly<Record<string, string>> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    TF_ENABLE_ONEDNN_OPTS: '1',
    ...(gpus > 0 ? { TF_DETERMINISTIC_OPS: '1', NVIDIA_TF32_OVERRIDE: '0' } : { CUDA_VISIBLE_DEVICES: '-1' }),
  };
}

function requireAddon(): TensorflowNode {
  try {
    return createRequire(import.meta.url)('@tensorflow/tfjs-node') as TensorflowNode;
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
    throw new ThawError('SetupMissing', `the TensorFlow engine does not load (${reason}); run \`./thaw doctor\``, {
      cause,
    });
  }
}

async function cpuFeatures(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' '));
  return relevantFeatures.filter((feature) => flags.has(feature)).join(' ');
}
