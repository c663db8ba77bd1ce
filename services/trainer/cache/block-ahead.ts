// At most one block that decodes ahead of its use; one that is not what is taken next was decoded for nothing.

import { refKey, type SampleRef } from './level.ts';
import type { LoadBlock, PixelBlock } from './pixel-level.ts';

export interface BlockAhead {
  take(refs: readonly SampleRef[]): Promise<PixelBlock>;
  start(refs: readonly SampleRef[]): void;
}

export function blockAhead(loadBlock: LoadBlock): BlockAhead {
  const keyOf = (refs: readonly SampleRef[]): string => refs.map(refKey).join();
  let ahead: { readonly key: string; readonly block: Promise<PixelBlock> } | null = null;
  return {
    take(refs) {
      const block = ahead?.key === keyOf(refs) ? ahead.block : loadBlock(refs);
      ahead = null;
      return block;
    },
    start(refs) {
      if (refs.length === 0) return;
      ahead = { key: keyOf(refs), block: loadBlock(refs) };
      ahead.block.catch(() => {}); // thrown where it is taken; one that nobody takes must not stay unhandled
    },
  };
}
