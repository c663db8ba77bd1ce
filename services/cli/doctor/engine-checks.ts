// The engines and the GPU. Each is loaded in a process of its own: one that dies with it is a finding.

import { describeEngine } from '@thaw/trainer/inference/inference-process.ts';
import { engineIsBuilt, engineIsLinked, withoutEngine } from '../../../scripts/setup/engine.mjs';
import { engineDirectory } from '../../../scripts/setup/locations.mjs';
import { toolVersion } from '../../../scripts/setup/tools.mjs';
import { type Check, reasonOf, setUpAdvice } from './check.ts';

const enginePart = 'TensorFlow engine';
const wasmPart = 'wasm engine';
const gpuPart = 'GPU';

/** TensorFlow, its stand-in, then the GPU. */
export async function checkEngines(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const [tensorflow, gpu] = await checkTensorflow(env);
  return [tensorflow, await checkWasm(env), gpu];
}

async function checkWasm(env: NodeJS.ProcessEnv): Promise<Check> {
  try {
    const { version, cpuFeatures } = (await describeEngine('wasm', env)).engineClass;
    return { part: wasmPart, state: 'ok', found: `${version}, ${cpuFeatures}; for jobs with engine wasm or auto` };
  } catch (thrown) {
    return { part: wasmPart, state: 'missing', found: `does not load: ${reasonOf(thrown)}`, advice: setUpAdvice };
  }
}

/** The engine, then the GPU. */
async function checkTensorflow(env: NodeJS.ProcessEnv): Promise<[Check, Check]> {
  const directory = engineDirectory(env);
  const cards = await visibleCards(env);
  const reason = withoutEngine(env);
  if (reason !== null && !engineIsBuilt(env)) {
    const advice = 'jobs with trainers.engine wasm or auto run without it';
    return [{ part: enginePart, state: 'note', found: `none: ${reason}`, advice }, gpuWithoutEngine(cards)];
  }
  if (!engineIsBuilt(env)) {
    return [missingEngine(`not built (it would be in ${directory})`, setUpAdvice), gpuWithoutEngine(cards)];
  }
  if (!engineIsLinked(env)) {
    const found = `built in ${directory}, but node_modules does not lead there`;
    return [missingEngine(found, setUpAdvice), gpuWithoutEngine(cards)];
  }
  try {
    const { engineClass, oneDnn } = await describeEngine('tensorflow', env);
    const { version, cpuFeatures, device } = engineClass;
    const found = `${version}, oneDNN ${oneDnn ? 'on' : 'off'}, processor: ${cpuFeatures || 'no features known'}`;
    return [{ part: enginePart, state: 'ok', found }, checkGpu(device, cards)];
  } catch (thrown) {
    const advice = `remove ${directory}, and ${setUpAdvice}`;
    return [missingEngine(`does not load: ${reasonOf(thrown)}`, advice), gpuWithoutEngine(cards)];
  }
}

function missingEngine(found: string, advice: string): Check {
  return { part: enginePart, state: 'missing', found, advice };
}

function gpuWithoutEngine(cards: string | null): Check {
  const found = `${cards ?? 'none'}; whether TensorFlow sees it shows once the engine loads`;
  return { part: gpuPart, state: cards === null ? 'ok' : 'note', found };
}

/** `device`: what TensorFlow would use. `cards`: what the driver lists. */
export function checkGpu(device: string, cards: string | null): Check {
  if (device === 'GPU') return { part: gpuPart, state: 'ok', found: `${cards ?? 'one'}, visible to TensorFlow` };
  if (cards === null) return { part: gpuPart, state: 'ok', found: 'none; jobs run on the processor (gpus: 0)' };
  const found = `${cards}, not visible to TensorFlow: the engine of set-up is the one for processors`;
  return { part: gpuPart, state: 'note', found, advice: 'jobs with gpus: 0 run on the processor' };
}

async function visibleCards(env: NodeJS.ProcessEnv): Promise<string | null> {
  const query = { command: 'nvidia-smi', args: ['--query-gpu=name', '--format=csv,noheader'] };
  return (await toolVersion(query, env)) || null;
}
