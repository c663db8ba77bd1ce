// In which order blocks thawed, and the figures that decided it. Only of jobs that ask for it.

import { shortText } from '@thaw/common/text/number-text.ts';
import type { RankedBlock } from '../../../core/state.ts';
import { countText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { note, type Section, tableMarkup } from './parts.ts';

export function rankingSection({ report: { ranking } }: PageData): readonly Section[] {
  if (!ranking) return [];
  const table = tableMarkup<RankedBlock>({
    caption: 'Blocks in the order in which they thaw',
    rows: ranking.blocks,
    columns: [
      { title: 'block', cell: ({ block }) => block },
      { title: 'gradient / weights', isNumber: true, cell: ({ ratio }) => shortText(ratio) },
      { title: 'gradient', isNumber: true, cell: ({ gradient }) => shortText(gradient) },
      { title: 'weights', isNumber: true, cell: ({ weights }) => shortText(weights) },
    ],
  });
  const about = `Measured once on ${countText(ranking.samples, 'training sample')}, before the first stage that trains ranked blocks, with the best weights until then: the Euclidean norms of each block's mean gradient and of its weights. The largest ratio thaws first.`;
  return [{ id: 'ranking', title: 'Order of the blocks', body: [note(about), table] }];
}
