// `thaw plan JOB`: what a job will do and take, stage by stage, without starting anything.

import path from 'node:path';
import { type PlanSummary, planSummary, type StageSummary } from '@thaw/coordinator/prepare/plan-summary.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import { Command } from 'commander';
import type { World } from '../world.ts';
import { readJobText, wholeNumber } from './options.ts';

export function planCommand(world: World): Command {
  return new Command('plan')
    .description('show what a job will do: stages, tensors, bytes, memory')
    .argument('<job>', 'job file (YAML)')
    .option('--trainers <n>', 'plan for this many trainers', wholeNumber)
    .option('--json', 'as JSON', false)
    .action(async (job: string, options: { trainers?: number; json: boolean }) => {
      const file = path.resolve(world.cwd, job);
      const prepared = await prepareJob({
        jobText: await readJobText(file),
        fileName: job,
        baseDir: path.dirname(file),
        cacheDirectory: world.cacheDirectory,
        overrides: { trainers: options.trainers },
      });
      const summary = planSummary(prepared);
      world.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : printedPlan(summary));
    });
}

const listedLayersMax = 6;

function printedPlan(plan: PlanSummary): string {
  const { model, data, trainers, warnings } = plan;
  const { train, validation, test } = data.samples;
  const lines = [
    `${plan.name}  ${plan.jobDigest}`,
    `model   ${model.source}, ${count(model.parameters)} parameters`,
    `data    ${data.source}, ${data.classes} classes, ${train} train / ${validation} validation / ${test} test, ${data.shards} shards`,
    `trainers ${trainers}`,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...plan.stages.flatMap((stage, index) => ['', ...printedStage(stage, index, trainers)]),
  ];
  return `${lines.join('\n')}\n`;
}

function printedStage(stage: StageSummary, index: number, trainers: number): string[] {
  const row = (name: string, value: string): string => `   ${name.padEnd(13)}${value}`;
  const { trainableLayers: layers } = stage;
  const shownLayers = layers.length > listedLayersMax ? layers.slice(-listedLayersMax) : layers;
  const more = layers.length > shownLayers.length ? [`… ${layers.length - shownLayers.length} more before`] : [];
  return [
    `${index + 1}. ${stage.name}  trains ${stage.select.join(', ')}`,
    row('parameters', `${count(stage.trainableParameters)} trainable, ${count(stage.frozenParameters)} frozen`),
    row(
      'steps',
      `at most ${stage.stepsMax} (${stage.epochsMax} epochs of ${stage.stepsPerEpoch}), ${stage.globalBatch} samples each`,
    ),
    row('optimizer', `${stage.optimizer}, learning rate ${stage.learningRate}`),
    row('boundary', `${stage.boundary.join(', ')}: ${bytes(stage.boundaryBytesPerSample)} a sample, computed once`),
    ...(stage.cacheBytes > 0 ? [row('features', featuresText(stage))] : []),
    row(
      'gradient',
      `${bytes(stage.gradientBytes)} a step; through the broker ${bytes(stage.brokerBytesPerStep)} at ${trainers} trainers`,
    ),
    row('memory', `about ${bytes(stage.trainerBytesAtMin)} in one trainer at trainers.min`),
    ...[...more, ...shownLayers].map((layer, i) => row(i === 0 ? 'layers' : '', layer)),
  ];
}

function featuresText({ cacheBytes, storedBefore, epochsMax }: StageSummary): string {
  const kept = `${bytes(cacheBytes)} in the cache`;
  if (storedBefore) return `${kept}, stored by an earlier stage: no frozen layer runs`;
  return `${kept}: frozen layers run once instead of in up to ${epochsMax} epochs`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${unit === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)} ${units[unit]}`;
}
