// `thaw schema`: the JSON Schema of the job file, for editors that complete and check YAML with it.

import { editorSchema } from '@thaw/common/job/generate/json-schema.ts';
import { Command } from 'commander';
import type { World } from '../world.ts';

export function schemaCommand(world: World): Command {
  return new Command('schema')
    .description('print the JSON Schema of the job file, for editors')
    .action(() => void world.stdout.write(editorSchema()));
}
