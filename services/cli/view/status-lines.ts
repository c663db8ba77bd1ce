// What `thaw status` says of a run, fact by fact: of one that is under way, and of one that is not.

import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { StoppedRun } from '../results/stopped-run.ts';
import { durationText, lossText, percentText, plural, rateText, secondsText } from './number-text.ts';
import { phaseWords } from './phase-words.ts';
import { type Line, line, span } from './styled-line.ts';

const labelCells = 12;

export function runningLines(status: JobStatus__Output, out: string): Line[] {
  const { name, progress, trainersReady, trainersWanted, generation } = status;
  const isBegun = progress !== null && generation > 0;
  const trainers = `${trainersReady} of ${trainersWanted} ready${generation > 0 ? `, generation ${generation}` : ''}`;
  return [
    [span(name, 'bold'), span(` ${phaseWords(status)}`)],
    ...(isBegun ? progressLines(progress) : []),
    fact('trainers', trainers),
    fact('output', out),
  ];
}

type Progress = NonNullable<JobStatus__Output['progress']>;

function progressLines(progress: Progress): Line[] {
  const { stage, stages, stageName, epochInStage, epochsInStage, stepInEpoch, stepsInEpoch } = progress;
  const { loss, accuracy, hasValidation, validationLoss, validationAccuracy } = progress;
  const { ratio, remainingSeconds, samplesPerSecond } = progress;
  const steps = `step ${Math.min(stepInEpoch, stepsInEpoch)}/${stepsInEpoch}`;
  const left = remainingSeconds > 0 ? `, about ${durationText(remainingSeconds)} left` : '';
  const rate = samplesPerSecond > 0 ? `, ${rateText(samplesPerSecond)} samples/s` : '';
  return [
    fact('stage', `${stage + 1} of ${stages} "${stageName}"`),
    fact('epoch', `${epochInStage + 1} of at most ${epochsInStage}, ${steps}`),
    ...(loss > 0 ? [fact('train', measured(loss, accuracy))] : []),
    ...(hasValidation ? [fact('validation', measured(validationLoss, validationAccuracy))] : []),
    fact('progress', `${percentText(ratio).trim()}${rate}${left}`),
  ];
}

/** `next`: what can be done with a run without a result. */
export function stoppedLines(run: StoppedRun, out: string, next: string): Line[] {
  const { name, state, code, message, weightsDigest, test, seconds } = run;
  const took = seconds === undefined ? '' : ` in ${secondsText(seconds)}`;
  const why = [...(code === undefined ? [] : [`[${code}]`]), ...(message === undefined ? [] : [message])].join(' ');
  return [
    [
      span(name, 'bold'),
      span(` ${state.toLowerCase()}${took}`, state === 'Succeeded' ? 'good' : 'warning'),
      span(why === '' ? '' : `: ${why}`),
    ],
    ...(test ? [fact('test', `${measured(test.loss, test.accuracy)}, ${plural(test.count, 'sample')}`)] : []),
    ...(weightsDigest === undefined ? [] : [fact('weights', weightsDigest)]),
    fact('output', out),
    ...(state === 'Succeeded' ? [] : [fact('next', next)]),
  ];
}

function measured(loss: number, accuracy: number): string {
  return `loss ${lossText(loss).trim()}, accuracy ${percentText(accuracy).trim()}`;
}

function fact(label: string, text: string): Line {
  return [span(label.padEnd(labelCells), 'dim'), ...line(text)];
}
