import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { fetchSource } from './fetch-source.ts';

let server: Server;
let asked: string[] = [];
let modelJson = '';
const shard = Buffer.alloc(1000, 7);
const shardTag = '"sevens"';

before(async () => {
  server = createServer(({ url = '', headers }, response) => {
    asked.push(url);
    if (url.startsWith('/net/model.json')) response.end(modelJson);
    else if (headers['if-none-match'] === shardTag) response.writeHead(304).end();
    else if (/^\/net\/\w+\.bin/.test(url)) response.setHeader('etag', shardTag).end(shard);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => void server.close());
afterEach(() => {
  asked = [];
});

const withPaths = (...paths: readonly unknown[]): string =>
  JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths, weights: [] }] });

function fetchIt(cacheDirectory: string, bytesMax = 1_000_000): ReturnType<typeof fetchSource> {
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/net/model.json?token=secret`;
  return fetchSource(address, { cacheDirectory, limits: { triesMax: 1, bytesMax } });
}

test('a layers-model from the web comes with its weight files, asked for with the same query', async (context) => {
  modelJson = withPaths('a.bin', 'b.bin', 'a.bin');
  const { file, warning } = await fetchIt(await temporaryFolder(context));
  assert.deepEqual(
    asked,
    ['/net/model.json', '/net/a.bin', '/net/b.bin'].map((at) => `${at}?token=secret`),
  );
  assert.deepEqual(await readFile(path.join(path.dirname(file), 'b.bin')), shard);
  assert.match(warning ?? '', /model\.json is taken as it is today \(with 2 weight files beside it\); .* #sha256=/);
  assert.doesNotMatch(warning ?? '', /secret/);
});

test('a layers-model that several jobs fetch at once comes whole to each of them', async (context) => {
  const names = Array.from({ length: 8 }, (_, i) => `s${i}.bin`);
  modelJson = withPaths(...names);
  const cacheDirectory = await temporaryFolder(context);
  const fetched = await Promise.all(Array.from({ length: 8 }, () => fetchIt(cacheDirectory)));
  const [{ file }] = fetched as [Awaited<ReturnType<typeof fetchIt>>];
  assert.ok(fetched.every((one) => one.file === file));
  assert.deepEqual((await readdir(path.dirname(file))).sort(), ['.sha256sums', 'model.json', ...names].sort());
});

test('weight files that are there already count towards the limit of all', async (context) => {
  const cacheDirectory = await temporaryFolder(context);
  for (const name of ['a.bin', 'b.bin']) {
    modelJson = withPaths(name);
    await fetchIt(cacheDirectory);
  }
  modelJson = withPaths('a.bin', 'b.bin', 'c.bin');
  await assert.rejects(fetchIt(cacheDirectory, 1500), {
    code: 'ModelInvalid',
    message: /model\.json: found weight files of over 1500 bytes; expected fewer$/,
  });
});

const refused: readonly (readonly [what: string, json: () => string, message: RegExp])[] = [
  ...['../a.bin', '/etc/passwd', 'sub/a.bin', 'https://host/a.bin', '.sha256sums', 'model.json', 'a.bin?x', ''].map(
    (name) =>
      [
        `the weight file "${name}"`,
        () => withPaths(name),
        /model\.json: found the weight file ".*"; expected the name of a file beside model\.json$/,
      ] as const,
  ),
  [
    'more weight files than a model has',
    () => withPaths(...Array.from({ length: 4097 }, (_, i) => `a${i}.bin`)),
    /found 4097 weight files; expected at most 4096$/,
  ],
  [
    'weight files that together are too large',
    () => withPaths('a.bin', 'b.bin'),
    /b\.bin cannot be fetched: it has \d+ /,
  ],
  ['no layers-model', () => '{}', /model\.json: found no modelTopology and weightsManifest/],
];

for (const [what, json, message] of refused) {
  test(`refused of a model.json from the web: ${what}`, async (context) => {
    modelJson = json();
    const folder = await temporaryFolder(context);
    await assert.rejects(fetchIt(folder, Math.max(1500, modelJson.length + 500)), { message });
    assert.ok(
      asked.every((url) => /^\/net\/(model\.json|[ab]\.bin)\?token=secret$/.test(url)),
      asked.join(),
    );
  });
}
