// `--engine` of the commands that run a finished model: which engine that is here. An engine that stands in for another
// one is said.

import { tensorflowIsThere } from '@thaw/common/environment/tensorflow-addon.ts';
import type { EngineKind } from '@thaw/common/job/resolved-job.ts';
import { Option } from 'commander';
import type { World } from '../world.ts';

const choices = ['auto', 'tensorflow', 'wasm', 'cpu'] as const;
export type EngineChoice = (typeof choices)[number];

export function engineOption(): Option {
  return new Option('--engine <engine>', 'what computes; auto: tensorflow where it is set up, else wasm')
    .choices(choices)
    .default('auto');
}

export function chosenEngine(
  choice: EngineChoice,
  { stderr }: Pick<World, 'stderr'>,
  hasTensorflow: () => boolean = tensorflowIsThere,
): EngineKind {
  if (choice !== 'auto') return choice;
  if (hasTensorflow()) return 'tensorflow';
  stderr.write('warning: TensorFlow is not set up here, so engine wasm computes; the last digits may differ\n');
  return 'wasm';
}
