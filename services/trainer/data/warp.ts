// Moves a picture's pixels by an affine map about its centre: bilinear between pixels, black outside.

import type { ImageGeometry } from './decode-image.ts';

/** Where a pixel of the result comes from: (x, y) from the centre to (xx x + xy y + left, yx x + yy y + top). */
export interface Warp {
  readonly xx: number;
  readonly xy: number;
  readonly yx: number;
  readonly yy: number;
  readonly left: number;
  readonly top: number;
}

export const unmoved: Warp = { xx: 1, xy: 0, yx: 0, yy: 1, left: 0, top: 0 };

export function rotation(degrees: number): Warp {
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  return { xx: cos, xy: sin, yx: -sin, yy: cos, left: 0, top: 0 };
}

/** pixels: [height, width, 3]. */
export function warped(pixels: Uint8Array, { height, width }: ImageGeometry, warp: Warp): Uint8Array {
  const { xx, xy, yx, yy, left: moveX, top: moveY } = warp;
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2];
  const output = new Uint8Array(pixels.length);
  const at = (x: number, y: number, c: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (pixels[(y * width + x) * 3 + c] as number);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sourceX = centerX + (x - centerX) * xx + (y - centerY) * xy + moveX;
      const sourceY = centerY + (x - centerX) * yx + (y - centerY) * yy + moveY;
      const [left, top] = [Math.floor(sourceX), Math.floor(sourceY)];
      const [right, down] = [sourceX - left, sourceY - top];
      for (let c = 0; c < 3; c++) {
        const upper = at(left, top, c) * (1 - right) + at(left + 1, top, c) * right;
        const lower = at(left, top + 1, c) * (1 - right) + at(left + 1, top + 1, c) * right;
        output[(y * width + x) * 3 + c] = Math.round(upper * (1 - down) + lower * down);
      }
    }
  }
  return output;
}
