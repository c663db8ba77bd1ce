// `thaw predict OUT FILE…`: what the model of a finished run says about pictures. They are decoded as in training; what
// cannot be read is said, counted, and makes the exit status 1, and the others are predicted all the same.

import path from 'node:path';
import { systemClock } from '@thaw/common/clock/clock.ts';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { type Inference, withInference } from '@thaw/trainer/inference/inference-process.ts';
import { Command } from 'commander';
import { chosenEngine, type EngineChoice, engineOption } from '../results/engine-choice.ts';
import { listImages, type NamedFile } from '../results/list-images.ts';
import { openResult, type Result } from '../results/open-result.ts';
import { type FilePrediction, predictionJson, predictionTable, rank } from '../results/prediction.ts';
import { progressLine } from '../results/progress-line.ts';
import { defaultColumns } from '../results/text-columns.ts';
import { plainText } from '../view/display-width.ts';
import type { World } from '../world.ts';
import { wholeNumber } from './options.ts';

interface PredictOptions {
  readonly top: number;
  readonly json: boolean;
  readonly engine: EngineChoice;
}

export function predictCommand(world: World): Command {
  return new Command('predict')
    .description('what a finished model says about pictures')
    .argument('<out>', 'output folder of a finished run')
    .argument('<file...>', 'pictures, and folders of them')
    .option('--top <k>', 'labels shown for a picture', wholeNumber, 3)
    .option('--json', 'one JSON object a line, with every probability', false)
    .addOption(engineOption())
    .action((out: string, names: string[], options: PredictOptions) => predict(world, { out, names, options }));
}

interface Request {
  readonly out: string;
  readonly names: readonly string[];
  readonly options: PredictOptions;
}

async function predict(world: World, { out, names, options }: Request): Promise<void> {
  const result = await openResult(path.resolve(world.cwd, out));
  const { files, unreadable } = await listImages(names, world.cwd);
  let refused = 0;
  const refuse = (name: string, reason: string): void => {
    refused += 1;
    world.stderr.write(`${plainText(name)} ${plainText(reason)}\n`);
  };
  for (const { name, reason } of unreadable) refuse(name, reason);
  if (files.length > 0) {
    const { graph, weights, preprocessing, temperature, labels, loss } = result;
    const model = {
      graph,
      weights,
      preprocessing,
      temperature,
      classes: labels.length,
      loss,
      engine: chosenEngine(options.engine, world),
    };
    await withInference(model, world.env, (inference) =>
      predictAll(world, { inference, result, files, options, refuse }),
    );
  }
  if (refused === 0) return;
  world.stderr.write(`${refused} of ${files.length + unreadable.length} could not be read\n`);
  world.exitWith(1);
}

interface Work {
  readonly inference: Inference;
  readonly result: Result;
  readonly files: readonly NamedFile[];
  readonly options: PredictOptions;
  readonly refuse: (name: string, reason: string) => void;
}

async function predictAll(world: World, { inference, result, files, options, refuse }: Work): Promise<void> {
  const progress = progressLine(world.stderr, systemClock);
  const predicted: FilePrediction[] = [];
  for (let start = 0; start < files.length; start += blockSize) {
    const block = files.slice(start, start + blockSize);
    if (start > 0) progress.show('predicted', start, files.length);
    const answers = await inference.predict(block.map(({ file }) => file));
    for (const [row, { name }] of block.entries()) {
      const answer = answers[row];
      if (answer?.kind !== 'predicted') {
        progress.clear();
        refuse(name, answer?.reason ?? 'was not answered');
        continue;
      }
      const prediction = rank(name, result.labels, answer.probabilities);
      if (options.json) world.stdout.write(predictionJson(prediction, result.labels));
      else predicted.push(prediction);
    }
  }
  progress.clear();
  if (predicted.length === 0) return;
  world.stdout.write(predictionTable(predicted, { top: options.top, columns: columnsOf(world.stdout) }));
}

/** A pipe or a file gets every name whole. */
function columnsOf({ isTTY, columns = defaultColumns }: World['stdout']): number {
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}
