// `thaw plan JOB`: what a job will do and take, stage by stage, without starting anything.

import { bytesText, shortText } from '@thaw/common/text/number-text.ts';
import { type PlanSummary, planSummary, type StageSummary } from '@thaw/coordinator/prepare/plan-summary.ts';
import { Command } from 'commander';
import { groupedText, plural } from '../view/number-text.ts';
import type { World } from '../world.ts';
import { wholeNumber } from './options.ts';
import { prepareFile } from './prepare-file.ts';

export function planCommand(world: World): Command {
  return new Command('plan')
    .description('show what a job will do: stages, tensors, bytes, memory')
    .argument('<job>', 'job file (YAML)')
    .option('--trainers <n>', 'plan for this many trainers', wholeNumber)
    .option('--json', 'as JSON', false)
    .action(async (job: string, options: { trainers?: number; json: boolean }) => {
      const summary = planSummary(await prepareFile(world, job, { trainers: options.trainers }));
      world.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : printedPlan(summary));
    });
}

const listedLayersMax = 6;

function printedPlan(plan: PlanSummary): string {
  const { model, data, trainers, warnings } = plan;
  const { train, validation, test } = data.samples;
  const lines = [
    `${plan.name}  ${plan.jobDigest}`,
    `model   ${model.source}, ${groupedText(model.parameters)} parameters`,
    `data    ${data.source}, ${data.classes} classes, ${train} train / ${validation} validation / ${test} test, ${data.shards} shards`,
    ...oldTaskRow(plan),
    `trainers ${trainers}`,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...plan.stages.flatMap((stage, index) => ['', ...printedStage(stage, index, trainers)]),
  ];
  return `${lines.join('\n')}\n`;
}

function oldTaskRow({ oldTask }: PlanSummary): string[] {
  if (!oldTask) return [];
  const { source, samples, classes, maxDrop, onExceed } = oldTask;
  const rule =
    maxDrop === null
      ? ', only watched'
      : `; a stage ${onExceed === 'stop' ? 'ends' : 'is rolled back'} when accuracy falls by more than ${shortText(100 * maxDrop)} points`;
  return [`old task ${source}, ${samples} samples of ${classes} classes${rule}`];
}

function printedStage(stage: StageSummary, index: number, trainers: number): string[] {
  const row = (name: string, value: string): string => `   ${name.padEnd(13)}${value}`;
  const { trainableLayers: layers } = stage;
  const shownLayers = layers.length > listedLayersMax ? layers.slice(-listedLayersMax) : layers;
  const more = layers.length > shownLayers.length ? [`… ${layers.length - shownLayers.length} more before`] : [];
  return [
    `${index + 1}. ${stage.name}  trains ${stage.select.join(', ')}`,
    ...(stage.ranked ? [row('blocks', rankedText(stage.ranked))] : []),
    row('parameters', parametersText(stage)),
    row(
      'steps',
      `at most ${stage.stepsMax} (${stage.epochsMax} epochs of ${stage.stepsPerEpoch}), ${stage.globalBatch} samples each`,
    ),
    row('optimizer', `${stage.optimizer}, learning rate ${shortText(stage.learningRate)}`),
    row('batchNorm', statisticsText(stage)),
    row('boundary', boundaryText(stage)),
    ...(stage.cacheBytes > 0 ? [row('features', featuresText(stage))] : []),
    row(
      'gradient',
      `${stage.ranked ? 'at most ' : ''}${bytesText(stage.gradientBytes)} a step; through the broker ${bytesText(stage.brokerBytesPerStep)} at ${plural(trainers, 'trainer')}`,
    ),
    row('memory', `about ${bytesText(stage.trainerBytesAtMin)} in one trainer at trainers.min`),
    ...[...more, ...shownLayers].map((layer, i) => row(i === 0 ? 'layers' : '', layer)),
  ];
}

function statisticsText({ batchNorm, statisticsLayers }: StageSummary): string {
  const layers = plural(statisticsLayers, 'layer');
  switch (batchNorm) {
    case 'frozen':
      return batchNorm;
    case 'adapt':
      return `adapt: statistics of ${layers} are measured over the training set first`;
    case 'train':
      return `train: statistics of ${layers} move`;
  }
}

function rankedText({ blocks, measuredAfter }: NonNullable<StageSummary['ranked']>): string {
  const which = blocks === 1 ? 'the one' : `the ${blocks}`;
  return `${which} with the largest gradient against its weights, measured after stage "${measuredAfter}"`;
}

function parametersText({ ranked, trainableParameters, frozenParameters }: StageSummary): string {
  const from = ranked ? `${groupedText(ranked.parametersMin)} to ` : '';
  const least = ranked ? 'at least ' : '';
  return `${from}${groupedText(trainableParameters)} trainable, ${least}${groupedText(frozenParameters)} frozen`;
}

function boundaryText({ ranked, boundary, boundaryBytesPerSample }: StageSummary): string {
  if (ranked) return 'follows from the blocks; what is frozen before them is computed once';
  return `${boundary.join(', ')}: ${bytesText(boundaryBytesPerSample)} a sample, computed once`;
}

function featuresText({ cacheBytes, storedBefore, epochsMax }: StageSummary): string {
  const kept = `${bytesText(cacheBytes)} in the cache`;
  if (storedBefore) return `${kept}, stored by an earlier stage: no frozen layer runs`;
  return `${kept}: frozen layers run once instead of in up to ${epochsMax} epochs`;
}
