// `thaw model inspect SOURCE`: what a model is made of, before a job is written for it. Reads the model, and nothing else.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { builtinTopology } from '@thaw/coordinator/prepare/model-source/builtin-model.ts';
import { openModelSource } from '@thaw/coordinator/prepare/model-source/open-model-source.ts';
import { type ModelSummary, modelSummary } from '@thaw/coordinator/prepare/model-summary.ts';
import { Command } from 'commander';
import { modelText } from '../results/model-text.ts';
import { defaultColumns } from '../results/text-columns.ts';
import type { World } from '../world.ts';
import { wholeNumber } from './options.ts';
import { sayFetching } from './say-fetching.ts';

interface InspectOptions {
  readonly weights?: string;
  readonly size?: number;
  readonly cut?: string;
  readonly layers: boolean;
  readonly json: boolean;
}

export function modelCommand(world: World): Command {
  const command = new Command('model').description('look at a pretrained model');
  command
    .command('inspect')
    .description('show blocks, layers, parameters, cut points and preprocessing of a model')
    .argument('<source>', 'as in model.source: a path, file:PATH, an address, builtin:NAME or example:NAME')
    .option('--weights <source>', "file of a builtin's weights; without one its layers are shown")
    .option('--size <pixels>', 'height and width where the model leaves them open', wholeNumber)
    .option('--cut <layer>', 'count blocks and parameters up to this layer')
    .option('--layers', 'list every layer', false)
    .option('--json', 'as JSON, layers included', false)
    .action(async (source: string, options: InspectOptions) => {
      const summary = await inCommandWords(() => inspect(asSource(source), options, world));
      const { isTTY, columns = defaultColumns } = world.stdout;
      const layout = { columns: isTTY ? columns : defaultColumns, layers: options.layers };
      world.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : modelText(summary, layout));
    });
  return command;
}

async function inspect(source: string, options: InspectOptions, world: World): Promise<ModelSummary> {
  const { weights, size, cut } = options;
  const inputSize = size === undefined ? undefined : { height: size, width: size };
  if (source.startsWith('builtin:') && weights === undefined) {
    return modelSummary(source, builtinTopology(source.slice('builtin:'.length), inputSize), cut);
  }
  const model = await openModelSource(source, {
    baseDirectory: world.cwd,
    cacheDirectory: world.cacheDirectory,
    fetching: sayFetching(world),
    s3: world.s3,
    inputSize,
    ...(weights !== undefined && { weights: { source: asSource(weights) } }),
  });
  for (const warning of model.warnings ?? []) world.stderr.write(`warning: ${warning}\n`);
  return modelSummary(source, model, cut);
}

/** What has no scheme is a path. */
function asSource(text: string): string {
  return /^[a-z][a-z0-9]+:/.test(text) ? text : `file:${text}`;
}

/** There is no job whose fields a message could name. */
async function inCommandWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof ThawError)) throw thrown;
    const message = thrown.message
      .replace(/^spec\.model\.weights\.source: /, '--weights: ')
      .replace(/^spec\.model\.cut: /, '--cut: ')
      .replace(/^spec\.model\.source: /, '')
      .replaceAll('model.input.size', '--size');
    throw new ThawError(thrown.code, message, { data: thrown.data, cause: thrown });
  }
}
