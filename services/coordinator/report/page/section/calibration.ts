// Whether the model is as right as it says it is sure.

import { none } from '@thaw/common/text/number-text.ts';
import { type CalibrationCell, calibrationFigures } from '../../../core/test-figures.ts';
import { legend } from '../chart/legend.ts';
import { reliabilityChart } from '../chart/reliability-chart.ts';
import { type Markup, markup } from '../markup.ts';
import { countText, groupedText, percentText, scoreText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { note, numbers, type Section, tableMarkup } from './parts.ts';

/** Mean distances below this are within what a test set of usual size can tell. */
const smallError = 0.02;

export function calibrationSection({ report: { test } }: PageData): Section {
  const cells = test.calibrated?.calibration ?? test.calibration;
  const frame = { id: 'calibration', title: 'Calibration' };
  if (cells.every(({ count }) => count === 0)) {
    return { ...frame, body: note('The trainers did not say how sure the model was.') };
  }
  const { sure, right, error } = calibrationFigures(cells);
  const about = `The model is ${percentText(sure)} sure on average, and right in ${percentText(right)} of the cases.`;
  const title = 'How often it is right when it is how sure';
  const chart = reliabilityChart({ id: 'chart-calibration', title, description: about, cells });
  const body = markup`<div class="halves"><figure><figcaption>${title}</figcaption>${chart}${legend([
    { name: 'right', swatch: { kind: 'soft', style: 1 } },
    { name: 'mean confidence and share right', swatch: { kind: 'best', style: 2 } },
    { name: 'as right as it is sure', swatch: { kind: 'mark' } },
    { name: 'samples', swatch: { kind: 'fill', style: 6 } },
  ])}</figure><div>
<p class="brought"><b>${scoreText(error)}</b> <span>expected calibration error</span></p><p>${about} ${verdict(sure, right, error)}</p>
${temperatureMarkup(test)}
${note('The expected calibration error is the distance between confidence and accuracy in each tenth, weighted by its samples (Guo et al. 2017). 0 is perfect.')}
${numbers('Calibration as a table', calibrationTable(cells))}</div></div>`;
  return { ...frame, body };
}

/** What fitting a temperature has changed; the chart shows the model as `thaw predict` uses it. */
function temperatureMarkup({ calibrated }: PageData['report']['test']): Markup | null {
  if (calibrated === undefined) return null;
  const { temperature, samples, errorBefore, errorAfter, crossEntropyBefore, crossEntropyAfter } = calibrated;
  return markup`<p>These are its probabilities at a temperature of <b>${String(temperature)}</b>, fitted on ${countText(samples, 'validation sample')}: logits are divided by it before the softmax, and no prediction changes. Without it the error is ${scoreText(errorBefore)} and the cross-entropy ${scoreText(crossEntropyBefore)}; with it ${scoreText(errorAfter)} and ${scoreText(crossEntropyAfter)}.</p>`;
}

function verdict(sure: number, right: number, error: number): string {
  if (error < smallError) return 'Its probabilities can be taken as they are.';
  if (sure > right + smallError) return 'It is overconfident: its probabilities should be taken with caution.';
  if (right > sure + smallError) return 'It is underconfident: it is right more often than it says.';
  return 'On average that fits, but not at every confidence.';
}

interface CellRow extends CalibrationCell {
  readonly range: string;
}

function calibrationTable(cells: readonly CalibrationCell[]) {
  const percent = (cell: number): number => Math.round((cell / cells.length) * 100);
  const rows = cells.map((cell, i): CellRow => ({ ...cell, range: `${percent(i)}–${percent(i + 1)} %` }));
  return tableMarkup<CellRow>({
    caption: 'Confidence and accuracy by tenth of confidence',
    rows,
    columns: [
      { title: 'confidence', isNumber: true, cell: ({ range }) => range },
      { title: 'samples', isNumber: true, cell: ({ count }) => groupedText(count) },
      { title: 'right', isNumber: true, cell: ({ correct }) => groupedText(correct) },
      {
        title: 'mean confidence',
        isNumber: true,
        cell: ({ count, confidence }) => (count > 0 ? percentText(confidence) : none),
      },
      {
        title: 'accuracy',
        isNumber: true,
        cell: ({ count, correct }) => (count > 0 ? percentText(correct / count) : none),
      },
    ],
  });
}
