// A model's summary as text that a terminal of 80 columns holds: blocks first, because they are what a job selects.

import { bytesText } from '@thaw/common/text/number-text.ts';
import type { BlockSummary, LayerSummary, ModelSummary } from '@thaw/coordinator/prepare/model-summary.ts';
import { displayWidth } from '../view/display-width.ts';
import { groupedText } from '../view/number-text.ts';
import { elideEnd, elideStart, widest } from './text-columns.ts';

export interface ModelTextLayout {
  /** Of the terminal. */
  readonly columns: number;
  /** Every layer too. */
  readonly layers: boolean;
}

const floatBytes = 4;

export function modelText(summary: ModelSummary, { columns, layers }: ModelTextLayout): string {
  const { blocks, cut } = summary;
  const sections = [
    facts(summary, columns),
    [
      ...wrapped(`blocks up to ${cut}; \`last(n)\` selects the last n of them, \`block(NAME)\` one`, columns),
      ...table(blockRows(blocks), { columns, elided: [1, 2] }),
    ],
    after(summary),
    ...(layers ? [table(layerRows(summary.layers), { columns, elided: [1] }), [layerLegend]] : []),
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  const hint = layers ? '' : `\n${summary.layers.length} layers; --layers lists them.\n`;
  return `${text.join('\n\n')}\n${hint}`;
}

function facts(summary: ModelSummary, columns: number): string[] {
  const { source, origin, input, parameters, parametersToCut } = summary;
  const row = (name: string, value: string): string[] => wrapped(value, columns - nameWidth).map(
    (line, i) => `${(i === 0 ? name : '').padEnd(nameWidth)}${line}`,
  ); // biome-ignore format: one expression
  return [
    ...row('model', source),
    ...row('origin', origin),
    ...row('input', `${input.height} x ${input.width} pixels, three channels`),
    ...row('pixels', pixelSentence(summary)),
    ...row(
      'parameters',
      `${groupedText(parameters)} (${bytesText(parameters * floatBytes)}), ${groupedText(parametersToCut)} up to the cut`,
    ),
  ];
}

const nameWidth = 12;

function pixelSentence({ preprocessing, likelyPreprocessing }: ModelSummary): string {
  if (!preprocessing) return `the source does not say how; a job has to. ${likelyPreprocessing ?? ''}`.trim();
  const { channelOrder, scale, mean, std } = preprocessing;
  return `${channelOrder}, each byte times ${short(scale)}, minus ${mean.map(short).join(', ')}, divided by ${std.map(short).join(', ')}`;
}

function blockRows(blocks: readonly BlockSummary[]): Row[] {
  const head = ['last(n)', 'block', 'cut after it', 'output', 'layers', 'parameters'];
  const rows = blocks.map(({ name, last, cut, outputShape, layers, parameters }) => [
    String(last),
    name,
    cut,
    outputShape.join(' x '),
    String(layers.length),
    groupedText(parameters),
  ]);
  return [head, ...rows];
}

/** What a new head replaces. */
function after({ layers, cut }: ModelSummary): string[] {
  const replaced = layers.filter(({ kept }) => !kept);
  if (replaced.length === 0) return [`nothing follows ${cut}: a job puts its head there`];
  const parameters = replaced.reduce((sum, layer) => sum + layer.parameters, 0);
  const names = replaced.map(({ path }) => path.replace(/^backbone\//, ''));
  const shown = names.length > shownMax ? [...names.slice(0, shownMax), `and ${names.length - shownMax} more`] : names;
  return [`after the cut, replaced by a job's head: ${groupedText(parameters)} parameters in`, `  ${shown.join(', ')}`];
}

const shownMax = 4;

const layerLegend = '|  one tensor alone leaves the layer: a cut there divides the network';

function layerRows(layers: readonly LayerSummary[]): Row[] {
  const rows = layers.map(({ path, kind, outputShape, parameters, cutPoint }) => [
    cutPoint ? '|' : '',
    path,
    kind,
    outputShape.join(' x '),
    parameters > 0 ? groupedText(parameters) : '',
  ]);
  return [['', 'layer', 'kind', 'output', 'parameters'], ...rows];
}

type Row = readonly string[];

/** Numbers stand at the right. The `elided` columns share what is missing, the widest first. */
function table(rows: readonly Row[], { columns, elided }: { columns: number; elided: readonly number[] }): string[] {
  const widths = (rows[0] ?? []).map((_, column) => widest(rows.map((row) => row[column] as string)));
  const gap = 2;
  let over = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  for (; over > 0; over--) {
    const widestOne = elided.reduce((a, b) => ((widths[b] as number) > (widths[a] as number) ? b : a));
    if ((widths[widestOne] as number) <= nameWidthMin) break;
    widths[widestOne] = (widths[widestOne] as number) - 1;
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        const kept = elided.includes(column) ? elideStart(cell, width) : elideEnd(cell, width);
        const padding = ' '.repeat(Math.max(0, width - displayWidth(kept)));
        return isNumber(rows, column) ? padding + kept : kept + padding;
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

const nameWidthMin = 12;

function isNumber(rows: readonly Row[], column: number): boolean {
  return rows.slice(1).every((row) => /^[\d,]*$/.test(row[column] as string));
}

/** At spaces; a word that is too long stays whole. */
function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && displayWidth(`${line} ${word}`) > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** Enough digits to recognise a factor. */
function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
