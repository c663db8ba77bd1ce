// `thaw evaluate OUT DATA`: how good the model of a finished run is on labelled pictures. The same parts, sums and
// metrics as in a job, so the job's own test set gives the figures of its report.

import path from 'node:path';
import { systemClock } from '@thaw/common/clock/clock.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EngineKind } from '@thaw/common/job/resolved-job.ts';
import { compareNames } from '@thaw/common/model/tensor-layout.ts';
import { withInference } from '@thaw/trainer/inference/inference-process.ts';
import type { LabelledSamples, Notice } from '@thaw/trainer/inference/messages.ts';
import { Command } from 'commander';
import { chosenEngine, type EngineChoice, engineOption } from '../results/engine-choice.ts';
import { type BadSample, type Evaluation, evaluationOf, evaluationText } from '../results/evaluation.ts';
import { readLabelledData } from '../results/labelled-data.ts';
import { openResult, type Result } from '../results/open-result.ts';
import { progressLine } from '../results/progress-line.ts';
import { plainText } from '../view/display-width.ts';
import type { World } from '../world.ts';
import { sayFetching } from './say-fetching.ts';

interface EvaluateOptions {
  readonly json: boolean;
  readonly engine: EngineChoice;
}

const badSamplesShownMax = 20;

export function evaluateCommand(world: World): Command {
  return new Command('evaluate')
    .description('how good a finished model is on labelled pictures')
    .argument('<out>', 'output folder of a finished run')
    .argument('<data>', 'folder of class folders, CSV with columns path and label, or example:NAME')
    .option('--json', 'as JSON', false)
    .addOption(engineOption())
    .action(async (out: string, data: string, options: EvaluateOptions) => {
      const result = await openResult(path.resolve(world.cwd, out));
      const { cwd, cacheDirectory } = world;
      const samples = await readLabelledData(data, {
        cwd,
        cacheDirectory,
        fetching: sayFetching(world),
        labels: result.labels,
      });
      const evaluation = await evaluate(world, { result, samples, engine: chosenEngine(options.engine, world) });
      const { badSamples } = evaluation;
      for (const { id, reason } of badSamples.slice(0, badSamplesShownMax)) {
        world.stderr.write(`${plainText(id)} is no image that can be decoded: ${plainText(reason)}\n`);
      }
      if (badSamples.length > badSamplesShownMax) {
        world.stderr.write(`and ${badSamples.length - badSamplesShownMax} more that are no image\n`);
      }
      if (evaluation.count === 0) {
        throw new ThawError('DataInvalid', `DATA: none of ${samples.ids.length} samples can be decoded`);
      }
      const json = { name: result.name, data, ...evaluation };
      world.stdout.write(options.json ? `${JSON.stringify(json, null, 2)}\n` : evaluationText(evaluation));
    });
}

interface Work {
  readonly result: Result;
  readonly samples: LabelledSamples;
  readonly engine: EngineKind;
}

async function evaluate(world: World, { result, samples, engine }: Work): Promise<Evaluation> {
  const { graph, weights, preprocessing, temperature, labels, loss } = result;
  const progress = progressLine(world.stderr, systemClock);
  const badSamples: BadSample[] = [];
  const tell = (notice: Notice): void => {
    if (notice.kind === 'badSample') badSamples.push({ id: notice.id, reason: notice.reason });
    else progress.show(notice.phase === 'features' ? 'computed' : 'evaluated', notice.done, notice.total);
  };
  const model = { graph, weights, preprocessing, temperature, classes: labels.length, loss, engine };
  try {
    const evaluated = await withInference(model, world.env, (inference) => inference.evaluate(samples, tell));
    return evaluationOf(evaluated, labels, badSamples.sort(byId));
  } finally {
    progress.clear();
  }
}

function byId(a: BadSample, b: BadSample): number {
  return compareNames(a.id, b.id);
}
