// OUT/README.md: the model card, for whoever gets the model without having trained it.

import type { Preprocessing, ResolvedJob } from '@thaw/common/job/resolved-job.ts';
import type { Report } from './build-report.ts';
import { shownSelection, stagesInResult } from './trained-blocks.ts';

export function modelCard(job: ResolvedJob, report: Report, origin: string): string {
  const stages = stagesInResult(report);
  return [
    `# ${report.name}`,
    '',
    `An image classifier for ${report.test.classes.length} classes, fine-tuned in ${stages} ${stages === 1 ? 'stage' : 'stages'} by Thaw.`,
    '',
    `**Pretrained model.** ${origin}`,
    '',
    '| on the test set | |',
    '| --- | --- |',
    `| accuracy | ${percent(report.test.accuracy)} |`,
    `| macro-F1 | ${report.test.macroF1.toFixed(4)} |`,
    `| AUC | ${report.test.auc.toFixed(4)} |`,
    ...(report.test.top5 === undefined ? [] : [`| top 5 | ${percent(report.test.top5)} |`]),
    `| loss | ${report.test.loss.toFixed(4)} |`,
    `| samples | ${report.test.count} |`,
    '',
    '## Use',
    '',
    ...useLines(job),
    `Input: ${inputSentence(job.model.preprocessing)}`,
    'The output is one probability per class, in the order of `labels.json`.',
    ...calibrationLines(report),
    '',
    '## Per class',
    '',
    '| class | precision | recall | F1 | samples |',
    '| --- | --- | --- | --- | --- |',
    ...report.test.perClass.map(
      (one) =>
        `| ${cell(one.class)} | ${percent(one.precision)} | ${percent(one.recall)} | ${one.f1.toFixed(3)} | ${one.support} |`,
    ),
    '',
    '## Training',
    '',
    '| stage | trains | optimizer | learning rate | epochs | steps | validation accuracy |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...report.stages.map((_, i) => stageRow(job, report, i)),
    '',
    `- data: ${job.data.source} (${samplesSentence(report)}), digest \`${report.dataDigest}\``,
    `- unreadable samples left out: ${Object.values(report.badSamples.counts).reduce((sum, count) => sum + count, 0)}`,
    `- augmentation: ${job.data.augment.map(({ kind }) => kind).join(', ') || 'none'}`,
    `- seed ${report.seed}, ${report.shards} shards, ${report.steps} steps`,
    `- engine: ${report.engineClass.engine} ${report.engineClass.version} on ${report.engineClass.device}`,
    ...(report.warnings ?? []).map((warning) => `- warning: ${warning}`),
    `- job \`${report.jobDigest}\``,
    `- weights \`${report.weightsDigest}\``,
    '',
  ].join('\n');
}

/** Of a name that somebody gave a folder: a bar or a line's end would end the cell. */
function cell(name: string): string {
  return name.replace(/\s+/g, ' ').replace(/\|/g, '\\|');
}

function useLines({ output }: ResolvedJob): string[] {
  return [
    ...(output.formats.includes('tfjs') ? ['- TensorFlow.js: `tf.loadLayersModel` of `model/model.json`.'] : []),
    ...(output.formats.includes('safetensors') ? ['- Weights by name: `model/model.safetensors`.'] : []),
    ...(output.formats.includes('keras') ? ['- Keras 3: `keras.saving.load_model("model/model.keras")`.'] : []),
    ...(output.formats.includes('h5') ? ['- Keras 2 and 3: `keras.models.load_model("model/model.h5")`.'] : []),
    '- `thaw predict THIS-FOLDER FILE…`',
    '',
  ];
}

function calibrationLines({ test: { calibrated } }: Report): string[] {
  if (calibrated === undefined) return [];
  const { temperature, samples, errorBefore, errorAfter } = calibrated;
  return [
    '',
    `**Calibration.** Temperature ${temperature} (\`calibration.json\`), fitted on ${samples} validation samples: divide the ` +
      'logits by it before the softmax, or raise each probability to the power of its inverse and divide by their sum. ' +
      '`thaw predict` does; the exported weights are without it. Expected calibration error on the test set: ' +
      `${errorBefore.toFixed(4)} without, ${errorAfter.toFixed(4)} with it.`,
  ];
}

function inputSentence({ height, width, resize, channelOrder, scale, mean, std }: Preprocessing): string {
  return (
    `${height} x ${width} pixels (${resize}), ${channelOrder}; each byte times ${scale}, minus ${mean.join(', ')}, ` +
    `divided by ${std.join(', ')} (also in \`preprocessing.json\`).`
  );
}

function stageRow(job: ResolvedJob, report: Report, index: number): string {
  const stage = report.stages[index] as Report['stages'][number];
  const resolved = job.stages[index];
  return [
    '',
    stage.rolledBack ? `${stage.name} (rolled back)` : stage.name,
    shownSelection(job, report, index)
      .map((pattern) => `\`${pattern}\``)
      .join(', '),
    resolved?.optimizer.kind ?? '',
    resolved?.learningRate ?? '',
    stage.epochs,
    stage.steps,
    stage.validation ? percent(stage.validation.accuracy) : '',
    '',
  ]
    .join(' | ')
    .trim();
}

function samplesSentence({ samples }: Report): string {
  return Object.entries(samples)
    .map(([set, count]) => `${count} ${set}`)
    .join(', ');
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
