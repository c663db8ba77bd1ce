// Samples that could not be read: how many of each set, and which.

import { countText, groupedText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { note, type Section, tableMarkup } from './parts.ts';

export function badSamplesSection({ report, job }: PageData): Section {
  const { counts, listed } = report.badSamples;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const frame = { id: 'bad-samples', title: 'Unreadable samples' };
  const all = Object.values(report.samples).reduce((sum, count) => sum + count, 0);
  if (total === 0) return { ...frame, body: note(`None: all ${countText(all, 'sample')} could be read.`) };
  const bySet = Object.entries(counts).map(
    ([set, count]) => `${groupedText(count)} of ${groupedText(report.samples[set] ?? 0)} in ${set}`,
  );
  const shown = listed.length < total ? ` The first ${listed.length} are listed.` : '';
  const allowed = `The job allows ${job.data.maxBadSamples * 100} % of a set.`;
  return {
    ...frame,
    body: [
      note(`${countText(total, 'sample')} left out: ${bySet.join(', ')}. ${allowed}${shown}`),
      tableMarkup({
        caption: 'Unreadable samples',
        rows: listed,
        isSortable: true,
        columns: [
          { title: 'sample', cell: ({ id }) => id },
          { title: 'set', cell: ({ split }) => split },
          { title: 'reason', cell: ({ reason }) => reason },
        ],
      }),
    ],
  };
}
