// One line for each event that matters, with the moment in front. The lines scroll away above the live block, or make
// up the plain view; there also the events that a live block shows by itself are written out (`minor`).

import { bytesText, shortText } from '@thaw/common/text/number-text.ts';
import type { RolledBack } from '@thaw/coordinator/core/state.ts';
import { plainText, wrapText } from './display-width.ts';
import type { JobEvent } from './job-event.ts';
import { durationText, lossText, percentText, plural, secondsText } from './number-text.ts';
import { fitLine, type Line, line, type Style, span } from './styled-line.ts';
import { epochInStage, stageOf, type ViewState } from './view-state.ts';

export interface HistoryEntry {
  /** Seconds since the command began. */
  readonly seconds: number;
  readonly minor: boolean;
  readonly content: Content;
}

/** Lines are cut when the terminal is too narrow for the last variant; prose is wrapped, since none of it may be lost. */
export type Content =
  | { readonly kind: 'line'; readonly variants: readonly Line[] }
  | { readonly kind: 'prose'; readonly text: string; readonly style: Style };

const stampCells = 7;
/** Narrower terminals go without the moment in front. */
const stampedFromCells = 60;
const samplesInLine = 3;
const blocksInLine = 8;

/** An entry as lines of at most `width` cells; Infinity leaves them whole. */
export function historyLines({ seconds, content }: HistoryEntry, width: number): Line[] {
  const stamped = width >= stampedFromCells;
  const stamp = stamped ? span(`${durationText(seconds).padStart(stampCells)}  `, 'dim') : span('');
  const room = width - stamp.text.length;
  if (content.kind === 'line') return [[stamp, ...fitLine(content.variants, room)]];
  return wrapText(plainText(content.text), room).map((text, i) => [
    i === 0 ? stamp : span(' '.repeat(stamp.text.length)),
    span(text, content.style),
  ]);
}

/** `state`: with this event in it. Null for the events that the run's ending tells. */
export function historyOf(event: JobEvent, state: ViewState): HistoryEntry | null {
  const content = contentOf(event, state);
  if (!content) return null;
  const seconds = Math.max(0, Date.parse(event.at) - state.began.wall) / 1000;
  return { seconds, minor: minorKinds.has(event.kind), content };
}

const minorKinds: ReadonlySet<JobEvent['kind']> = new Set([
  'trainerJoined',
  'generationStarted',
  'epochTrained',
  'stateStored',
  'snapshotStored',
]);

function contentOf(event: JobEvent, state: ViewState): Content | null {
  switch (event.kind) {
    case 'jobStarted': {
      const { name, trainers, shards, stages, warnings = [] } = event;
      const text = `job ${name}: ${plural(stages.length, 'stage')}, ${plural(trainers, 'trainer')}, ${plural(shards, 'shard')}`;
      return warnings.length > 0 ? prose(`${text}. warning: ${warnings.join('. ')}`, 'warning') : oneLine(text);
    }
    case 'jobResumed':
      return prose(resumedText(event, state), event.damaged ? 'warning' : 'good');
    case 'trainerJoined':
      return oneLine(`${event.trainer} joined (pid ${event.pid})`);
    case 'trainerReady': {
      const { engine, version, device } = event.engineClass;
      return oneLine(`${event.trainer} ready: ${engine} ${version} on ${device}`);
    }
    case 'trainerLost':
      return prose(`${event.trainer} (pid ${event.pid}) lost: ${event.reason}`, 'warning');
    case 'trainerLeft':
      return oneLine(`${event.trainer} (pid ${event.pid}) left: ${event.reason}`);
    case 'trainersScaled':
      return oneLine(`scaled from ${plural(event.from, 'trainer')} to ${event.to}`, 'bold');
    case 'trainingPaused':
      return prose(`paused after step ${event.step}: ${event.reason}`, 'warning');
    case 'trainerRefused':
      return prose(`${event.trainer} refused [${event.code}] ${event.message}`, 'warning');
    case 'generationStarted':
      return oneLine(`generation ${event.generation}: ${event.trainers.join(', ')} (${event.reason})`);
    case 'oldTaskMeasured': {
      const { accuracy, count } = event.oldTask;
      return oneLine(`old task before training: accuracy ${percentText(accuracy).trim()}, ${plural(count, 'sample')}`);
    }
    case 'stageStarted': {
      const { epochsMax, stepsMax } = event;
      return oneLine(
        `${stageText(event, state)}: at most ${plural(epochsMax, 'epoch')}, ${plural(stepsMax, 'step')}`,
        'bold',
      );
    }
    case 'stageReused':
      return reusedProse(event, state);
    case 'epochTrained': {
      const { epoch, loss, accuracy, learningRate, seconds } = event;
      const measured = `loss ${lossText(loss).trim()}, accuracy ${percentText(accuracy).trim()}`;
      const how = `learning rate ${shortText(learningRate)}, ${secondsText(seconds)}`;
      return oneLine(`epoch ${epochInStage(state, epoch)} trained: ${measured}, ${how}`);
    }
    case 'epochEvaluated':
      return { kind: 'line', variants: evaluatedVariants(event, state) };
    case 'stateStored':
      return oneLine(`epoch ${epochInStage(state, event.epoch)} stored: ${event.digest}, ${bytesText(event.bytes)}`);
    case 'snapshotStored':
      return oneLine(`snapshot after step ${event.step}: ${bytesText(event.bytes)}`);
    case 'stageEnded':
      return endedProse(event, state);
    case 'blocksRanked':
      return prose(rankingText(event), 'plain');
    case 'badSamples':
      return prose(badSamplesText(event, state.badSamples), 'warning');
    case 'calibrated':
      return oneLine(`temperature ${event.temperature}, fitted on ${plural(event.samples, 'validation sample')}`);
    case 'tested':
      return prose(testedText(event, state), 'bold');
    case 'jobSucceeded':
    case 'jobFailed':
    case 'jobCancelled':
      return null;
    default:
      return unknownEvent(event);
  }
}

type Reused = Extract<JobEvent, { readonly kind: 'stageReused' }>;

function reusedProse(event: Reused, state: ViewState): Content {
  const { job, trainedAt, epochs, steps, seconds, bestEpoch, rolledBack, reason } = event;
  const by = `trained by job ${job} at ${trainedAt.slice(0, 16).replace('T', ' ')} UTC`;
  const cost = `${plural(epochs, 'epoch')}, ${plural(steps, 'step')} in ${secondsText(seconds)}`;
  const head = `${stageText(event, state)} reused: ${by} (${cost})`;
  return rolledBack
    ? prose(`${head}; ${reason}; ${undoneText(rolledBack, state)}`, 'warning')
    : prose(`${head}; best epoch ${epochInStage(state, bestEpoch)}`, 'good');
}

type StageEnded = Extract<JobEvent, { readonly kind: 'stageEnded' }>;

function endedProse(event: StageEnded, state: ViewState): Content {
  const { reason, seconds, bestEpoch, rolledBack } = event;
  const head = `${stageText(event, state)} ended after ${secondsText(seconds)}: ${reason}`;
  return rolledBack
    ? prose(`${head}; ${undoneText(rolledBack, state)}`, 'warning')
    : prose(`${head}; best epoch ${epochInStage(state, bestEpoch)}`, 'plain');
}

function undoneText({ toEpoch }: RolledBack, state: ViewState): string {
  if (toEpoch === null) return 'rolled back to the pretrained weights and an untrained head';
  const to = stageOf(state, toEpoch);
  return `rolled back to epoch ${epochInStage(state, toEpoch)} of stage "${to?.name ?? ''}"`;
}

type Resumed = Extract<JobEvent, { readonly kind: 'jobResumed' }>;

function resumedText(
  { step, stepsRedone, trainers, epochInStage, stages, damaged = [] }: Resumed,
  state: ViewState,
): string {
  const stage = stages.at(-1);
  const where = stage
    ? `in ${stageText(stage, state)}, epoch ${epochInStage + 1}, after step ${step}`
    : 'at the beginning';
  const redone = stepsRedone > 0 ? `; about ${plural(stepsRedone, 'step')} done again` : '';
  const warnings = damaged.map((sentence) => `. warning: ${sentence}`).join('');
  return `resumed ${where}, ${plural(trainers, 'trainer')}${redone}${warnings}`;
}

type Tested = Extract<JobEvent, { readonly kind: 'tested' }>;

function testedText({ test, epoch }: Tested, state: ViewState): string {
  const { accuracy, macroF1, auc, top5, loss, count } = test;
  const topFive = top5 === undefined ? '' : `, top 5 ${percentText(top5).trim()}`;
  const scores = `macro-F1 ${lossText(macroF1).trim()}, AUC ${lossText(auc).trim()}${topFive}`;
  const measured = `accuracy ${percentText(accuracy).trim()}, ${scores}, loss ${lossText(loss).trim()}`;
  return `test of epoch ${epochInStage(state, epoch)}: ${measured}, ${plural(count, 'sample')}`;
}

type Evaluated = Extract<JobEvent, { readonly kind: 'epochEvaluated' }>;

/** Aligned under each other; `best` stands where no cut reaches it. */
function evaluatedVariants({ epoch, validation, best, retention }: Evaluated, state: ViewState): Line[] {
  const number = String(epochInStage(state, epoch)).padStart(3);
  const head = [span(`epoch ${number} `), span(best ? 'best' : '    ', 'good')];
  const validated = `${lossText(validation.loss)} ${percentText(validation.accuracy)}`;
  const { trained } = state;
  const of = trained?.epoch === epoch ? trained : null;
  const train = of ? `${lossText(of.loss)} ${percentText(of.accuracy)}` : ''.padStart(14);
  const took = of ? secondsText(of.seconds).padStart(8) : '';
  const kept = retention ? [span(`  old task ${retentionText(retention)}`)] : [];
  return [
    ...(retention ? [[...head, span(`  train ${train}  validation ${validated} ${took}`), ...kept]] : []),
    [...head, span(`  train ${train}  validation ${validated} ${took}`)],
    [...head, span(`  train ${train}  val ${validated} ${took}`)],
    [...head, span(`  train ${train}  val ${validated}`)],
    ...(retention ? [[...head, span(` val ${validated}`), ...kept]] : []),
    [...head, span(` val ${validated}`)],
    [span(`${number.trim()}${best ? ' best' : ''} ${percentText(validation.accuracy).trim()}`)],
  ];
}

function retentionText({ accuracy, drop }: NonNullable<Evaluated['retention']>): string {
  const points = (100 * Math.abs(drop)).toFixed(1);
  return `${percentText(accuracy).trim()} (${drop > 0 ? '-' : '+'}${points} points)`;
}

function stageText({ stage, name }: { readonly stage: number; readonly name: string }, state: ViewState): string {
  return `stage ${stage + 1} of ${Math.max(state.stagesTotal, stage + 1)} "${name}"`;
}

type BlocksRanked = Extract<JobEvent, { readonly kind: 'blocksRanked' }>;

function rankingText({ blocks, samples }: BlocksRanked): string {
  const shown = blocks.slice(0, blocksInLine).map(({ block, ratio }) => `${block} ${shortText(ratio)}`);
  const more = blocks.length > shown.length ? [`and ${blocks.length - shown.length} more`] : [];
  return `blocks by gradient against weights, on ${plural(samples, 'sample')}: ${[...shown, ...more].join(', ')}`;
}

type BadSamples = Extract<JobEvent, { readonly kind: 'badSamples' }>;

function badSamplesText({ samples, more: unnamed = 0 }: BadSamples, soFar: number): string {
  const named = samples.slice(0, samplesInLine).map(({ split, id, reason }) => `${split} ${id}: ${reason}`);
  const count = samples.length + unnamed;
  const more = count > named.length ? [`and ${count - named.length} more`] : [];
  return `${plural(count, 'unreadable sample')} left out (${soFar} so far): ${[...named, ...more].join('; ')}`;
}

/** A newer coordinator may say more than this view knows. */
function unknownEvent({ kind }: { readonly kind: string }): Content {
  return oneLine(`event ${kind}`, 'dim');
}

function oneLine(text: string, style: Style = 'plain'): Content {
  return { kind: 'line', variants: [line(text, style)] };
}

function prose(text: string, style: Style): Content {
  return { kind: 'prose', text, style };
}
