// A small picture inside the page, or the reason why there is none.

import { type Markup, markup } from '../markup.ts';
import type { Thumbnail } from '../thumbnails.ts';

export function pictureMarkup(thumbnail: Thumbnail | undefined, alternative: string): Markup {
  if (thumbnail?.kind !== 'picture') {
    return markup`<div class="picture"><span>no picture: ${thumbnail?.reason ?? 'none was made'}</span></div>`;
  }
  const { jpeg, width, height } = thumbnail;
  const data = Buffer.from(jpeg).toString('base64');
  return markup`<div class="picture"><img src="data:image/jpeg;base64,${data}" width="${width}" height="${height}" alt="${alternative}"></div>`;
}
