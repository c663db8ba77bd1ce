// Pictures of one set that are alike one of an earlier set: where there are many, the test says too much.

import type { NearDuplicate } from '../../../near-duplicates/split-check.ts';
import { type Markup, markup } from '../markup.ts';
import { countText, groupedText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { note, type Section } from './parts.ts';
import { pictureMarkup } from './picture.ts';

export function nearDuplicatesSection({ report, lookAlikes }: PageData): Section {
  const frame = { id: 'near-duplicates', title: 'Look-alikes across the sets' };
  const { nearDuplicates: check, samples } = report;
  if (check === undefined) return { ...frame, body: note('Nobody looked.') };
  const { compared, found, listed } = check;
  const looked = Object.entries(compared)
    .map(([set, count]) => `${groupedText(count)} of ${groupedText(samples[set] ?? 0)} in ${set}`)
    .join(', ');
  if (listed.length === 0) return { ...frame, body: note(`None among the pictures compared: ${looked}.`) };
  const shown =
    lookAlikes.length < found.test + found.validation ? ` The ${lookAlikes.length} most alike are shown.` : '';
  const about = `${countText(found.test, 'picture')} of the test set and ${found.validation} of the validation set look like one of an earlier set, so the figures of their set are better than they would be on new pictures.`;
  const body = [
    note(`${about} Compared were ${looked}.${shown}`),
    markup`<ul class="mistakes">${lookAlikes.map((pair, i) => card(listed[i] as NearDuplicate, pair))}</ul>`,
  ];
  return { ...frame, body };
}

function card({ set, id, other, likeness }: NearDuplicate, [one, second]: PageData['lookAlikes'][number]): Markup {
  return markup`<li>${pictureMarkup(one, `${set} picture ${id}`)}${pictureMarkup(second, `${other.set} picture ${other.id}`)}<p class="sure">${(likeness * 100).toFixed(2)} % alike</p><p class="file">${set}: ${id}</p><p class="file">${other.set}: ${other.id}</p></li>`;
}
