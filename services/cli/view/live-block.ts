// The few lines that are redrawn in place. Each line has variants from wide to narrow; whatever does not fit the last
// one is cut. Always the same number of lines while stages run, so that the block does not jump.

import type { JobProgress__Output } from '@thaw/proto/gen/thaw/v1/JobProgress.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { sparkline, stepBar } from './charts.ts';
import { durationText, lossText, percentText, rateText } from './number-text.ts';
import { phaseWords } from './phase-words.ts';
import { fitLine, type Line, line, lineWidth, type Span, span } from './styled-line.ts';
import { elapsedSeconds, epochInStage, type ViewState } from './view-state.ts';

const barCellsMax = 40;
const barCellsMin = 4;
const sparklineCellsMax = 40;
const sparklineCellsMin = 6;

/** Lines of at most `width` cells; `now`: the monotonic clock. The first one is empty and sets the block apart. */
export function liveBlock(state: ViewState, width: number, now: number): Line[] {
  return [[], ...blockLines(state, width, now).map((variants) => fitLine(variants, width))];
}

function blockLines(state: ViewState, width: number, now: number): (readonly Line[])[] {
  const { status, starting, stages } = state;
  const elapsed = durationText(elapsedSeconds(state, now));
  if (!status)
    return [[line(starting === '' ? 'starting' : `starting ${starting}`)], [line(`elapsed ${elapsed}`, 'dim')]];
  const { progress } = status;
  const trainers = trainersLine(status, elapsed);
  if (!progress || stages.length === 0 || status.state === 'Gathering') return [[line(phaseWords(status))], trainers];
  return [
    stageLine(status, progress),
    [barLine(progress, width)],
    [withSparkline(trainVariants(progress), state.losses, width)],
    validationVariants(state, progress),
    trainers,
  ];
}

function stageLine(status: JobStatus__Output, progress: JobProgress__Output): Line[] {
  const { stage, stages, stageName, epochInStage: epoch, epochsInStage } = progress;
  const words = phaseWords(status);
  return [
    [
      span(`stage ${stage + 1} of ${stages} "${stageName}"`, 'bold'),
      span(`  epoch ${epoch + 1} of at most ${epochsInStage}  ${words}`),
    ],
    [span(`${stage + 1}/${stages} ${stageName}`, 'bold'), span(`  epoch ${epoch + 1}/${epochsInStage}  ${words}`)],
    [span(`${stage + 1}/${stages} `, 'bold'), span(`${epoch + 1}/${epochsInStage} ${words}`)],
  ];
}

/** The bar takes what the numbers leave. */
function barLine({ stepInEpoch, stepsInEpoch, samplesPerSecond }: JobProgress__Output, width: number): Line {
  const digits = String(stepsInEpoch).length;
  const steps = `${String(Math.min(stepInEpoch, stepsInEpoch)).padStart(digits)}/${stepsInEpoch}`;
  const rate = samplesPerSecond > 0 ? rateText(samplesPerSecond) : '';
  const tails = [
    ` step ${steps}${rate === '' ? '' : `  ${rate.padStart(5)} samples/s`}`,
    ` ${steps}${rate === '' ? '' : `  ${rate}/s`}`,
    ` ${steps}`,
  ];
  const room = (tail: string): number => width - lineWidth(line(tail));
  const tail = tails.find((one, i) => room(one) >= (i === 0 ? barCellsMax / 2 : barCellsMin)) ?? ` ${steps}`;
  const [done, open] = stepBar(stepInEpoch, stepsInEpoch, Math.min(barCellsMax, room(tail)));
  return [span(done, 'good'), span(open, 'dim'), span(tail)];
}

function trainVariants({ loss, accuracy }: JobProgress__Output): Line[] {
  const known = loss > 0;
  const [lossShown, accuracyShown] = [known ? lossText(loss) : '     –', known ? percentText(accuracy) : '    – %'];
  return [
    line(`train       loss ${lossShown}  accuracy ${accuracyShown}`),
    line(`train ${lossShown} ${accuracyShown}`),
    line(`t ${lossShown} ${accuracyShown}`),
  ];
}

/** The widest variant that leaves room for the recent losses has them; without room there are none. */
function withSparkline(variants: readonly Line[], losses: readonly number[], width: number): Line {
  const gap = 2;
  const roomy = variants.find((variant) => lineWidth(variant) + gap + sparklineCellsMin <= width);
  if (!roomy || losses.length === 0) return fitLine(variants, width);
  const cells = Math.min(sparklineCellsMax, width - lineWidth(roomy) - gap);
  return [...roomy, span(' '.repeat(gap)), span(sparkline(losses, cells), 'good')];
}

function validationVariants(state: ViewState, progress: JobProgress__Output): Line[] {
  const { hasValidation, validationLoss, validationAccuracy } = progress;
  if (!hasValidation) return [line('validation  after the epoch'), line('val –')];
  const best = state.stages.at(-1)?.best;
  const [loss, accuracy] = [lossText(validationLoss), percentText(validationAccuracy)];
  const bestAccuracy = best ? percentText(best.validation.accuracy).trim() : '';
  const bestEpoch = best ? epochInStage(state, best.epoch) : 0;
  const optional = (text: string): Span[] => (best ? [span(text, 'good')] : []);
  return [
    [
      span(`validation  loss ${loss}  accuracy ${accuracy}`),
      ...optional(
        `  best ${bestAccuracy}, loss ${best ? lossText(best.validation.loss).trim() : ''} (epoch ${bestEpoch})`,
      ),
    ],
    [span(`validation  loss ${loss}  accuracy ${accuracy}`), ...optional(`  best ${bestAccuracy}`)],
    [span(`val   ${loss} ${accuracy}`), ...optional(`  best ${bestAccuracy} (${bestEpoch})`)],
    [span(`v ${loss} ${accuracy}`)],
  ];
}

function trainersLine({ trainersReady, trainersWanted, progress }: JobStatus__Output, elapsed: string): Line[] {
  const ready = `${trainersReady}/${trainersWanted}`;
  const remaining = progress?.remainingSeconds ?? 0;
  const left = remaining > 0 ? durationText(remaining) : '';
  return [
    line(`trainers ${ready} ready  elapsed ${elapsed}${left === '' ? '' : `  about ${left} left`}`, 'dim'),
    line(`trainers ${ready}  ${elapsed}${left === '' ? '' : `  ~${left} left`}`, 'dim'),
    line(`${ready} ${elapsed}${left === '' ? '' : ` ~${left}`}`, 'dim'),
  ];
}
