// What the cache of frozen features brought, and what was chosen for rows that an earlier run had left on disk.

import { bytesText, none } from '@thaw/common/text/number-text.ts';
import type { FeatureGain, LevelChoice } from '../../../core/feature-gain.ts';
import { type Markup, markup } from '../markup.ts';
import { countText, groupedText, secondsText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { type Fact, factList, note, type Section, tableMarkup } from './parts.ts';

export function featureCacheSection({ report }: PageData): Section {
  const frame = { id: 'feature-cache', title: 'Frozen features' };
  const gain = report.featureCache;
  if (!gain || gain.computed + gain.fromMemory + gain.fromDisk === 0) {
    return { ...frame, body: note('No frozen layer ran in this run.') };
  }
  const { read, savedSeconds, choices } = gain;
  const body = [
    markup`<p class="brought"><b>${secondsText(savedSeconds)}</b> <span>of computing saved, over all trainers</span></p>`,
    factList(facts(gain)),
    note(
      `About ${countText(read, 'sample')} would have run through the frozen layers again. The time is that number times what computing one takes less what reading one takes, as each trainer measured them; rows that were only ever stored on the way of another stage count no time.`,
    ),
    choices.length > 0 ? choicesTable(choices) : null,
  ];
  return { ...frame, body };
}

function facts(gain: FeatureGain): Fact[] {
  const { computed, fromMemory, fromDisk, misses, proved, corrupt, memoryBytes, writtenBytes } = gain;
  const shown: readonly (readonly [count: number, fact: Fact])[] = [
    [1, ['computed', countText(computed, 'sample')]],
    [1, ['read', `${groupedText(fromMemory)} from memory, ${groupedText(fromDisk)} from disk`]],
    [1, ['held in memory', `${bytesText(memoryBytes)} at most`]],
    [writtenBytes, ['kept on disk', `${bytesText(writtenBytes)} more, for later runs`]],
    [misses, ['did not fit', `${countText(misses, 'sample')} computed for one use`]],
    [proved, ['proof', `${countText(proved, 'sample')} computed to compare what lay on disk with`]],
    [corrupt, ['damaged', `${countText(corrupt, 'row')} on disk, computed again`]],
  ];
  return shown.filter(([count]) => count > 0).map(([, fact]) => fact);
}

function choicesTable(choices: readonly LevelChoice[]): Markup {
  return tableMarkup<LevelChoice>({
    caption: 'Features that an earlier run had left on disk',
    rows: choices,
    columns: [
      { title: 'boundary', cell: ({ level }) => markup`<code>${level}</code>` },
      { title: 'chosen', cell: chosenText },
      { title: 'reading a sample', isNumber: true, cell: ({ readSeconds }) => millisecondsText(readSeconds) },
      { title: 'computing a sample', isNumber: true, cell: ({ computeSeconds }) => millisecondsText(computeSeconds) },
      { title: 'times', isNumber: true, cell: ({ times }) => groupedText(times) },
    ],
  });
}

function chosenText({ chosen, otherBits }: LevelChoice): string {
  if (otherBits) return 'computed: its bits are not those of this engine';
  return chosen === 'read' ? 'read' : 'computed, which is faster';
}

function millisecondsText(seconds: number): string {
  return Number.isFinite(seconds) ? `${(1000 * seconds).toFixed(2)}\u00a0ms` : none;
}
