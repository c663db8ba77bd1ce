// `thaw lr-find JOB`: the learning-rate range test of the job's first stage. It trains as the job would, from the job's
// own weights, while the rate grows from step to step, and keeps nothing but the curve.

import { systemClock } from '@thaw/common/clock/clock.ts';
import type { ResolvedStage } from '@thaw/common/job/resolved-job.ts';
import {
  defaultRateRange,
  type RateRange,
  rangeStepsMax,
  rangeStepsMin,
  suggestedRate,
} from '@thaw/common/schedule/range-test.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { testRange } from '@thaw/trainer/inference/inference-process.ts';
import type { Notice } from '@thaw/trainer/inference/messages.ts';
import type { RangeResult } from '@thaw/trainer/inference/range-test.ts';
import { Command, InvalidArgumentError } from 'commander';
import { type FoundRate, foundRateJson, foundRateText } from '../results/found-rate.ts';
import { progressLine } from '../results/progress-line.ts';
import type { World } from '../world.ts';
import { prepareFile } from './prepare-file.ts';

interface LrFindOptions extends RateRange {
  readonly json: boolean;
}

export function lrFindCommand(world: World): Command {
  return new Command('lr-find')
    .description("try learning rates on a job's first stage, and suggest one; nothing is kept")
    .argument('<job>', 'job file (YAML)')
    .option('--from <rate>', 'rate of the first step', positiveNumber, defaultRateRange.from)
    .option('--to <rate>', 'rate of the last step', positiveNumber, defaultRateRange.to)
    .option(
      '--steps <n>',
      `steps between them, ${rangeStepsMin} to ${rangeStepsMax}`,
      stepCount,
      defaultRateRange.steps,
    )
    .option('--json', 'as JSON, with the loss of every step', false)
    .action(async (job: string, options: LrFindOptions, command: Command) => {
      if (options.from >= options.to) {
        command.error(`error: option '--to <rate>': found ${options.to}; expected more than --from, ${options.from}`);
      }
      const found = await findRate(world, job, options);
      world.stdout.write(options.json ? foundRateJson(found) : foundRateText(found));
    });
}

async function findRate(world: World, job: string, { from, to, steps }: RateRange): Promise<FoundRate> {
  const prepared = await prepareFile(world, job);
  const { points, ended, engineClass } = await trainWithRange(world, prepared, { from, to, steps });
  const stage = prepared.job.stages[0] as ResolvedStage;
  return {
    name: prepared.job.name,
    stage: stage.name,
    optimizer: stage.optimizer.kind,
    engine: engineClass.engine,
    batch: stage.microBatch * prepared.job.data.shards,
    learningRate: stage.learningRate,
    range: { from, to, steps },
    points,
    ended,
    suggestion: suggestedRate(points, steps),
  };
}

async function trainWithRange(world: World, prepared: PreparedJob, range: RateRange): Promise<RangeResult> {
  const { job, graph, weights, manifest, dataRoot } = prepared;
  const progress = progressLine(world.stderr, systemClock);
  const bad = new Set<string>();
  const tell = (notice: Notice): void => {
    if (notice.kind === 'badSample') bad.add(notice.id);
    else progress.show(notice.phase === 'step' ? 'step' : 'computed', notice.done, notice.total);
  };
  try {
    return await testRange({ job, graph, weights, manifest, dataRoot, range }, world.env, tell);
  } finally {
    progress.clear();
    if (bad.size > 0) world.stderr.write(`warning: ${bad.size} samples are no image that can be decoded, left out\n`);
  }
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError(`found "${text}"; expected a number above 0, as 1e-7`);
}

function stepCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= rangeStepsMin && value <= rangeStepsMax) return value;
  throw new InvalidArgumentError(`found "${text}"; expected a whole number from ${rangeStepsMin} to ${rangeStepsMax}`);
}
