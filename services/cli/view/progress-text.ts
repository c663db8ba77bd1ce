// A job's status as one line without an end: how far it is, what it does, how well, how long it may still take.

import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { plainText } from './display-width.ts';
import { durationText, lossText, percentText, rateText } from './number-text.ts';
import { phaseWords } from './phase-words.ts';

export function progressText(status: JobStatus__Output): string {
  const { progress, trainersReady, trainersWanted } = status;
  const words = phaseWords(status);
  const trainers = `${trainersReady}/${trainersWanted} trainers`;
  if (!progress || status.state === 'Gathering') return plainText(words);
  const { stage, stages, stageName, epochInStage, epochsInStage, stepInEpoch, stepsInEpoch } = progress;
  const { loss, accuracy, samplesPerSecond, remainingSeconds } = progress;
  return [
    `stage ${stage + 1} of ${stages} "${stageName}"`,
    `epoch ${epochInStage + 1} of at most ${epochsInStage}`,
    `step ${stepInEpoch}/${stepsInEpoch}`,
    words,
    ...(loss > 0 ? [`loss ${lossText(loss).trim()}`, `accuracy ${percentText(accuracy).trim()}`] : []),
    ...(samplesPerSecond > 0 ? [`${rateText(samplesPerSecond)} samples/s`] : []),
    trainers,
    ...(remainingSeconds > 0 ? [`about ${durationText(remainingSeconds)} left`] : []),
  ].join(', ');
}
