// The closing lines of a run, when nothing moves any more. What people copy (paths, digests, commands, messages) is
// never cut; only the table of stages turns into a list when the terminal is too narrow for it.

import { metricTitles } from '@thaw/common/evaluation/metric-title.ts';
import type { Metric } from '@thaw/common/job/resolved-job.ts';
import { bytesText } from '@thaw/common/text/number-text.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report, StageReport } from '@thaw/coordinator/report/build-report.ts';
import { displayWidth, padToWidth, plainText } from './display-width.ts';
import { lossText, percentText, plural, secondsText } from './number-text.ts';
import { type Line, line, paint, span } from './styled-line.ts';
import { takesColour } from './view-mode.ts';

export type RunEnding =
  | {
      readonly kind: 'succeeded';
      readonly out: string;
      readonly report: Report;
      /** What to type next. */
      readonly predictCommand: string;
    }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      /** A sentence: what was kept, and where. */
      readonly kept: string;
      /** The last ones of the process at fault; may be empty. */
      readonly logLines: readonly string[];
    }
  | { readonly kind: 'cancelled'; readonly kept: string };

export interface EndingStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A result goes to stdout, why there is none to stderr. */
export function writeEnding(ending: RunEnding, { stdout, stderr }: EndingStreams): void {
  const stream = ending.kind === 'succeeded' ? stdout : stderr;
  const width = stream.isTTY ? stream.columns || Number.POSITIVE_INFINITY : Number.POSITIVE_INFINITY;
  const colour = takesColour(stream);
  stream.write(
    endingLines(ending, width)
      .map((spans) => `${paint(spans, colour)}\n`)
      .join(''),
  );
}

export function endingLines(ending: RunEnding, width: number): Line[] {
  switch (ending.kind) {
    case 'succeeded':
      return succeededLines(ending, width);
    case 'failed': {
      const { code, message, logLines, kept } = ending;
      const [first = '', ...more] = message.split('\n');
      const log = logLines.length > 0 ? [line('last lines of its log:', 'dim'), ...logLines.map(indented)] : [];
      return [
        [span(`error [${code}]`, 'bad'), span(` ${first}`)],
        ...more.map((text) => line(text)),
        ...log,
        line(kept),
      ];
    }
    case 'cancelled':
      return [line('cancelled', 'warning'), line(ending.kept)];
  }
}

function indented(text: string): Line {
  return [span('    '), span(text.trimEnd(), 'dim')];
}

type Succeeded = Extract<RunEnding, { readonly kind: 'succeeded' }>;

function succeededLines({ out, report, predictCommand }: Succeeded, width: number): Line[] {
  const { test, seconds, name } = report;
  const topFive = test.top5 === undefined ? '' : `, top 5 ${percentText(test.top5).trim()}`;
  const scores = `macro-F1 ${lossText(test.macroF1).trim()}, AUC ${lossText(test.auc).trim()}`;
  const measured = `accuracy ${percentText(test.accuracy).trim()}, ${scores}${topFive}`;
  return [
    [span('succeeded', 'good'), span(` ${name} in ${secondsText(seconds.total)}`)],
    [],
    fact('result', out),
    fact('report', resultFiles(out).page),
    fact('test', `${measured}, ${plural(test.count, 'sample')}`),
    ...calibrationFacts(report),
    ...nearDuplicateFacts(report, out),
    ...featureFacts(report),
    ...badSampleFacts(report, out),
    fact('weights', report.weightsDigest),
    fact('job', report.jobDigest),
    [],
    ...stageLines(report.stages, width),
    [],
    [span('next: ', 'dim'), span(predictCommand, 'bold')],
  ];
}

const labelCells = 13;

function fact(label: string, text: string): Line {
  return [span(label.padEnd(labelCells), 'dim'), span(text)];
}

function calibrationFacts({ test: { calibrated } }: Report): Line[] {
  if (calibrated === undefined) return [];
  const { temperature, errorBefore, errorAfter } = calibrated;
  const error = `${lossText(errorBefore).trim()} → ${lossText(errorAfter).trim()}`;
  return [fact('calibration', `temperature ${temperature}, expected calibration error ${error}`)];
}

function nearDuplicateFacts({ nearDuplicates }: Report, out: string): Line[] {
  const { validation, test } = nearDuplicates?.found ?? { validation: 0, test: 0 };
  if (validation + test === 0) return [];
  const { report } = resultFiles(out);
  const found = `${plural(test, 'picture')} of test and ${validation} of validation look like one of an earlier set`;
  return [fact('look-alikes', `${found}, listed in ${report} under nearDuplicates`)];
}

function featureFacts({ featureCache }: Report): Line[] {
  if (!featureCache || featureCache.read === 0) return [];
  const { read, computed, savedSeconds, writtenBytes, corrupt } = featureCache;
  const kept = writtenBytes > 0 ? `; ${bytesText(writtenBytes)} kept for the next run` : '';
  const damaged = corrupt > 0 ? `; damaged on disk and computed again: ${corrupt}` : '';
  const saved = `about ${secondsText(savedSeconds)} of computing saved`;
  return [fact('features', `computed ${computed} times, read ${read} times: ${saved}${kept}${damaged}`)];
}

function badSampleFacts({ badSamples }: Report, out: string): Line[] {
  const counts = Object.entries(badSamples.counts).filter(([, count]) => count > 0);
  if (counts.length === 0) return [];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const bySet = counts.map(([set, count]) => `${set} ${count}`).join(', ');
  const { report } = resultFiles(out);
  return [
    fact(
      'bad samples',
      `${plural(total, 'unreadable sample')} left out (${bySet}), listed in ${report} under badSamples`,
    ),
  ];
}

const columnGap = '  ';

/** A table, or one stage under the other where it does not fit. */
function stageLines(stages: readonly StageReport[], width: number): Line[] {
  const header = ['stage', 'epochs', 'steps', 'best validation', 'seconds'];
  const rows = stages.map((stage) => [
    plainText(nameOf(stage)),
    String(stage.epochs),
    String(stage.steps),
    bestText(stage),
    stage.reused ? 'reused' : stage.seconds.toFixed(1),
  ]);
  const widths = header.map((title, i) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[i] ?? ''))),
  );
  const total = widths.reduce((sum, cells) => sum + cells, 0) + columnGap.length * (widths.length - 1);
  if (total > width) return stages.map(stageSentence);
  const rowText = (row: readonly string[]): string =>
    row.map((cell, i) => alignedCell(cell, widths[i] ?? 0, i)).join(columnGap);
  return [line(rowText(header), 'dim'), ...rows.map((row) => line(rowText(row)))];
}

/** Words to the left, numbers to the right. */
function alignedCell(cell: string, cells: number, column: number): string {
  return column === 0 || column === 3 ? padToWidth(cell, cells) : cell.padStart(cells);
}

function stageSentence(stage: StageReport): Line {
  const { epochs, steps, seconds, reused } = stage;
  const took = reused ? 'reused' : secondsText(seconds);
  const size = `${plural(epochs, 'epoch')}, ${plural(steps, 'step')}`;
  return [span(`${nameOf(stage)}: `, 'bold'), span(`${size}, best ${bestText(stage)}, ${took}`)];
}

function nameOf({ name, rolledBack }: StageReport): string {
  return rolledBack ? `${name} (rolled back)` : name;
}

/** By the metric that the stage is judged by. */
function bestText({ best: { metric, value } }: StageReport): string {
  if (metric === 'accuracy') return `accuracy ${percentText(value).trim()}`;
  return `${metric in metricTitles ? metricTitles[metric as Metric] : metric} ${lossText(value).trim()}`;
}
