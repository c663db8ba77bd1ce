// Bytes to floats: value = (byte * scale - mean) / std per channel, through a table of 256 entries, so that every engine
// starts from the same float32 numbers.

import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';

/** pixels: [n, height, width, 3] rgb bytes. Returns floats of the same shape, channels in the model's order. */
export function preprocess(pixels: Uint8Array, { channelOrder, scale, mean, std }: Preprocessing): Float32Array {
  const tables = [0, 1, 2].map((channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - (mean[channel] ?? 0)) / (std[channel] ?? 1)),
  );
  const source = channelOrder === 'rgb' ? [0, 1, 2] : [2, 1, 0];
  const floats = new Float32Array(pixels.length);
  for (const [channel, from] of source.entries()) {
    const table = tables[channel] as Float32Array;
    for (let i = 0; i < pixels.length; i += 3) floats[i + channel] = table[pixels[i + from] as number] as number;
  }
  return floats;
}
