import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { digestOf } from '@thaw/common/content/digest.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import sharp, { type Sharp } from 'sharp';
import { tinyImage } from '../../../test/support/fixtures/tiny-images.ts';
import { BadImage, decodeImage, type ImageGeometry, throwBadImage } from './decode-image.ts';

const square: ImageGeometry = { height: 4, width: 4, resize: 'squash' };

type Colour = readonly [red: number, green: number, blue: number];
const red: Colour = [255, 0, 0];
const green: Colour = [0, 255, 0];
const blue: Colour = [0, 0, 255];
const black: Colour = [0, 0, 0];

/** A picture whose colour is told by place. */
function picture(width: number, height: number, colourAt: (x: number, y: number) => readonly number[]): Sharp {
  const rows = Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_unused, x) => colourAt(x, y)));
  const channels = rows[0]?.[0]?.length as 1 | 2 | 3 | 4;
  return sharp(Uint8Array.from(rows.flat(2)), { raw: { width, height, channels } });
}

function colourAt(pixels: Uint8Array, { width }: ImageGeometry, x: number, y: number): number[] {
  return [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function assertNear(found: readonly number[], expected: readonly number[], tolerance: number): void {
  const far = expected.some((value, i) => Math.abs(value - (found[i] as number)) > tolerance);
  assert.ok(!far, `found ${found}; expected ${expected}`);
}

/** Left half red, right half blue. */
const halves = (width: number, height: number): Sharp => picture(width, height, (x) => (x < width / 2 ? red : blue));

const orange = { r: 200, g: 100, b: 50 };
const plain = (channels: 3 | 4 = 3): Sharp =>
  sharp({ create: { width: 8, height: 8, channels, background: { ...orange, alpha: 0.5 } } });

const kinds: readonly (readonly [what: string, bytes: () => Promise<Uint8Array>, colour: Colour, tolerance: number])[] =
  [
    ['rgb PNG', () => plain().png().toBuffer(), [200, 100, 50], 0],
    ['palette PNG', () => plain().png({ palette: true }).toBuffer(), [200, 100, 50], 1],
    ['16 bit PNG', () => plain().toColourspace('rgb16').png().toBuffer(), [200, 100, 50], 1],
    [
      'grey PNG',
      () =>
        picture(8, 8, () => [90])
          .png()
          .toBuffer(),
      [90, 90, 90],
      0,
    ],
    [
      'grey 16 bit PNG',
      () =>
        picture(8, 8, () => [90])
          .toColourspace('grey16')
          .png()
          .toBuffer(),
      [90, 90, 90],
      1,
    ],
    [
      'grey PNG with alpha',
      () =>
        picture(8, 8, () => [200, 128])
          .toColourspace('b-w')
          .png()
          .toBuffer(),
      [100, 100, 100],
      1,
    ],
    ['PNG with alpha, on black', () => plain(4).png().toBuffer(), [100, 50, 25], 1],
    ['JPEG', () => plain().jpeg({ quality: 100 }).toBuffer(), [200, 100, 50], 2],
    [
      'grey JPEG',
      () =>
        picture(8, 8, () => [90])
          .toColourspace('b-w')
          .jpeg({ quality: 100 })
          .toBuffer(),
      [90, 90, 90],
      2,
    ],
    ['CMYK JPEG', () => plain().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(), [200, 100, 50], 35],
    ['WebP', () => plain().webp({ lossless: true }).toBuffer(), [200, 100, 50], 0],
    ['GIF', () => plain().gif().toBuffer(), [200, 100, 50], 2],
    ['TIFF', () => plain().tiff({ compression: 'lzw' }).toBuffer(), [200, 100, 50], 0],
  ];

for (const [what, bytes, colour, tolerance] of kinds) {
  test(`${what} becomes three bytes a pixel`, async () => {
    const pixels = await decodeImage(await bytes(), square);
    assert.equal(pixels.length, 4 * 4 * 3);
    for (let x = 0; x < 4; x++) assertNear(colourAt(pixels, square, x, x), colour, tolerance);
  });
}

test('the grey and CMYK files of these tests are what they are called', async () => {
  const metadata = async (image: Sharp): Promise<string> =>
    (await sharp(await image.toBuffer()).metadata()).space ?? '';
  assert.equal(await metadata(plain().toColourspace('cmyk').jpeg()), 'cmyk');
  assert.equal(
    await metadata(
      picture(8, 8, () => [90])
        .toColourspace('grey16')
        .png(),
    ),
    'grey16',
  );
  assert.equal(await metadata(plain().toColourspace('rgb16').png()), 'rgb16');
});

test('a picture that its camera turned is upright', async () => {
  const wide: ImageGeometry = { height: 4, width: 8, resize: 'squash' };
  // Stored 4 wide and 8 high with red on top; orientation 6 says: turn by 90 degrees clockwise to look at it.
  const stored = picture(4, 8, (_, y) => (y < 4 ? red : blue)).jpeg({ quality: 100 });
  const turned = await decodeImage(await stored.withMetadata({ orientation: 6 }).toBuffer(), wide);
  assertNear(colourAt(turned, wide, 1, 2), blue, 40);
  assertNear(colourAt(turned, wide, 6, 2), red, 40);
});

test('squash uses the whole picture, whatever its shape', async () => {
  const pixels = await decodeImage(await halves(16, 4).png().toBuffer(), square);
  assertNear(colourAt(pixels, square, 0, 2), red, 2);
  assertNear(colourAt(pixels, square, 3, 2), blue, 2);
});

test('crop keeps the centre', async () => {
  const bands = picture(24, 8, (x) => (x < 8 ? red : x < 16 ? green : blue));
  const pixels = await decodeImage(await bands.png().toBuffer(), { ...square, resize: 'crop' });
  for (const [x, y] of [
    [0, 0],
    [3, 3],
    [2, 1],
  ] as const)
    assertNear(colourAt(pixels, square, x, y), green, 25);
});

test('pad shows the whole picture between black bars', async () => {
  const geometry: ImageGeometry = { height: 8, width: 8, resize: 'pad' };
  const pixels = await decodeImage(await halves(16, 8).png().toBuffer(), geometry);
  for (const y of [0, 1, 6, 7]) assert.deepEqual(colourAt(pixels, geometry, 4, y), black);
  assertNear(colourAt(pixels, geometry, 0, 4), red, 2);
  assertNear(colourAt(pixels, geometry, 7, 4), blue, 2);
});

test('height and width are not mixed up', async () => {
  const geometry: ImageGeometry = { height: 2, width: 6, resize: 'squash' };
  const pixels = await decodeImage(await halves(6, 2).png().toBuffer(), geometry);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((x) => colourAt(pixels, geometry, x, 1)),
    [red, red, red, blue, blue, blue],
  );
});

test('a picture of the wanted size is not touched', async () => {
  const stream = keyedStream(1, 'probe', 'noise');
  const bytes = Uint8Array.from({ length: 48 }, () => stream.below(256));
  const png = await sharp(bytes, { raw: { width: 4, height: 4, channels: 3 } })
    .png()
    .toBuffer();
  assert.deepEqual([...(await decodeImage(png, square))], [...bytes]);
});

/** A PNG that says it is this large and holds next to nothing. */
function hugePng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const body = Buffer.concat([Buffer.from(type), data]);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(64))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** ISO 3309, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const noise = async (format: 'png' | 'jpeg'): Promise<Buffer> =>
  Buffer.from(
    await sharp(await tinyImage({ label: 0, size: 64, stream: keyedStream(1, 'probe', 'noise') }))
      .toFormat(format)
      .toBuffer(),
  );

const bad: readonly (readonly [what: string, bytes: () => Promise<Uint8Array> | Uint8Array, reason: RegExp])[] = [
  ['an empty file', () => new Uint8Array(), /empty/],
  ['a text', () => Buffer.from('label,path\ncat,1.png\n'), /unsupported image format/],
  ['a web page', () => Buffer.from('<!doctype html><title>404</title>'), /unsupported image format/],
  ['half a PNG', async () => (await noise('png')).subarray(0, 3000), /png|read/i],
  ['half a JPEG', async () => (await noise('jpeg')).subarray(0, 600), /jpeg|premature|read/i],
  ['the first bytes of a JPEG', async () => (await noise('jpeg')).subarray(0, 20), /./],
  ['a picture of 400 million pixels', () => hugePng(20_000, 20_000), /pixel limit/],
  ['a broken PNG', async () => (await noise('png')).fill(0, 2000, 2600), /./],
];

for (const [what, bytes, reason] of bad) {
  test(`a bad image, with a reason: ${what}`, async () => {
    await assert.rejects(
      async () => decodeImage(await bytes(), square),
      (thrown) => {
        assert.ok(thrown instanceof BadImage, String(thrown));
        assert.match(thrown.message, reason);
        assert.ok(!thrown.message.includes('\n') && thrown.message.length > 0);
        return true;
      },
    );
  });
}

const notOfTheBytes: readonly (readonly [what: string, decode: () => Promise<unknown>, reason: RegExp])[] = [
  [
    'memory that there is not',
    async () => decodeImage(await noise('png'), { ...square, height: 5_000_000, width: 5_000_000 }),
    /out of memory/,
  ],
  [
    'a wrong request',
    () => halves(4, 4).extract({ left: 3, top: 0, width: 9, height: 1 }).png().toBuffer().catch(throwBadImage),
    /bad extract area/,
  ],
  [
    'memory within a decoder',
    () => Promise.reject(new Error('VipsJpeg: Insufficient memory (case 4)')).catch(throwBadImage),
    /Insufficient memory/,
  ],
  [
    'memory while a header is read',
    () =>
      Promise.reject(new Error('Input buffer has corrupt header: heif: Memory allocation error')).catch(throwBadImage),
    /Memory allocation/,
  ],
];

for (const [what, decode, reason] of notOfTheBytes) {
  test(`a failure that is not the image's: ${what}`, async () => {
    await assert.rejects(decode, (thrown) => {
      assert.ok(thrown instanceof Error && !(thrown instanceof BadImage), String(thrown));
      assert.match(thrown.message, reason);
      return true;
    });
  });
}

const decodeElsewhere = `
import { decodeImage } from ${JSON.stringify(new URL('./decode-image.ts', import.meta.url).href)};
import { readFileSync } from 'node:fs';
const pixels = await decodeImage(readFileSync(0), { height: 33, width: 21, resize: 'crop' });
process.stdout.write(pixels);
`;

test('the same bytes are the same pixels in another process', async () => {
  const jpeg = await noise('jpeg');
  const here = await decodeImage(jpeg, { height: 33, width: 21, resize: 'crop' });
  const there = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', decodeElsewhere], {
    input: jpeg,
  });
  assert.equal(digestOf(there), digestOf(here));
});
