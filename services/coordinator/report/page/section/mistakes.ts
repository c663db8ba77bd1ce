// The test samples that the model is surest and most wrong about, with their pictures: often a label is wrong, a picture
// is unlike the others, or two classes are one.

import type { WorstMistake } from '../../build-report.ts';
import { type Markup, markup } from '../markup.ts';
import { countText, percentText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import type { Thumbnail } from '../thumbnails.ts';
import { note, type Section } from './parts.ts';
import { pictureMarkup } from './picture.ts';

export function mistakesSection({ report: { test }, thumbnails }: PageData): Section {
  const { worstMistakes, count, accuracy } = test;
  const wrong = count - Math.round(count * accuracy);
  const unseen = thumbnails.filter(({ kind }) => kind === 'none').length;
  const body = [
    note(introduction(wrong, worstMistakes.length)),
    markup`<ul class="mistakes">${worstMistakes.map((mistake, i) => card(mistake, thumbnails[i]))}</ul>`,
    unseen > 0 ? note(`${countText(unseen, 'picture')} could not be shown; the reason stands in its place.`) : null,
  ];
  return { id: 'mistakes', title: 'Worst mistakes', body: worstMistakes.length === 0 ? body.slice(0, 1) : body };
}

function introduction(wrong: number, shown: number): string {
  if (wrong === 0) return 'The model made no mistake on the test set.';
  const all = `The model is wrong on ${countText(wrong, 'test sample')}.`;
  if (shown === 0) return `${all} The trainers did not say which.`;
  const which = shown === wrong ? 'Surest first' : `Here are ${shown} of those it was surest about`;
  return `${all} ${which}: look for wrong labels, pictures unlike the others, and classes that overlap.`;
}

function card({ id, truth, prediction, probability }: WorstMistake, thumbnail: Thumbnail | undefined): Markup {
  const sure = percentText(probability);
  return markup`<li>${pictureMarkup(thumbnail, `test picture ${id}`)}<p><b>${truth}</b><br>taken for <b class="wrong">${prediction}</b></p><p class="sure">${sure} sure</p><p class="file">${id}</p></li>`;
}
