import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { aTinyJob } from '../../../../test/support/fixtures/tiny-job.ts';
import { tinyModel } from '../../../../test/support/fixtures/tiny-model.ts';
import { type S3Server, startS3Server } from '../../../../test/support/s3/s3-server.ts';
import { openModelSource } from '../model-source/open-model-source.ts';
import { prepareJob } from '../prepare-job.ts';
import { fetchSource } from './fetch-source.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const { modelJson, weightData } = tinyModel();
const half = weightData.length / 2;
const shards = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
const sharded = {
  ...modelJson,
  weightsManifest: (modelJson as { weightsManifest: { weights: object[] }[] }).weightsManifest.map(({ weights }) => ({
    paths: shards,
    weights,
  })),
};
const objects = {
  'models/nets/net.h5': content,
  'models/odd folder+(a)/100%é/net.h5': content,
  'models/tiny/model.json': JSON.stringify(sharded),
  'models/tiny/group1-shard1of2.bin': weightData.subarray(0, half),
  'models/tiny/group1-shard2of2.bin': weightData.subarray(half),
  'models/lone/model.json': JSON.stringify(sharded),
  'public/net.h5': content,
};

let server: S3Server | null = null;
let why = '';
/** An endpoint where nothing listens any more. */
let nowhere = '';
const endings: (() => Promise<void>)[] = [];
const folder = (): Promise<string> => temporaryFolder({ after: (ending) => endings.push(ending) });

before(async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  nowhere = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  gone.close();
  const started = await startS3Server(await folder(), objects);
  if (typeof started === 'string') why = started;
  else server = started;
});
after(async () => {
  await server?.stop();
  for (const ending of endings) await ending();
});

const limits = { pauseMilliseconds: 1, triesMax: 2 };
type Who = (server: S3Server) => S3Environment;
const reader: Who = (one) => one.reader;
const anonymous: Who = ({ endpoint }) => ({ endpoint });

/** A test that the server must be there for. */
function withServer(what: string, test: (there: S3Server) => Promise<void>): void {
  it(what, async (context) => (server ? test(server) : context.skip(why)));
}

describe('a file in a bucket', () => {
  for (const key of ['nets/net.h5', 'odd folder+(a)/100%é/net.h5']) {
    withServer(`is fetched with a signature that the server verifies: ${key}`, async (there) => {
      const cacheDirectory = await folder();
      const fetched = await fetchSource(`s3://models/${key}`, { cacheDirectory, s3: there.reader, limits });
      assert.deepEqual(await readFile(fetched.file), content);
      assert.equal(fetched.shown, `s3://models/${key}`);
      assert.match(
        fetched.warning ?? '',
        /^s3:\/\/models\/.*net\.h5 is taken as it is today \(its ETag is "[0-9a-f]{32}"\); /,
      );
      const again = await fetchSource(`s3://models/${key}`, { cacheDirectory, s3: there.reader, limits });
      assert.deepEqual(again, fetched);
    });
  }

  withServer('is taken up where the connection broke, unless it became another', async (there) => {
    for (const [etag, begun] of [
      [null, content.subarray(0, 1000)],
      ['"0123"', Buffer.alloc(1000)],
    ] as const) {
      const cacheDirectory = await folder();
      const options = { cacheDirectory, s3: there.reader, limits };
      const { file } = await fetchSource('s3://models/nets/net.h5', options);
      const notes = path.join(cacheDirectory, 'sources', 'addresses');
      const note = path.join(notes, (await readdir(notes))[0] as string);
      const known = (JSON.parse(await readFile(note, 'utf8')) as { etag: string }).etag;
      await writeFile(file, 'damaged');
      await writeFile(note.replace(/\.json$/, ''), begun);
      await writeFile(note.replace(/\.json$/, '.etag'), etag ?? known);
      assert.deepEqual(await readFile((await fetchSource('s3://models/nets/net.h5', options)).file), content);
    }
  });

  withServer('is read without credentials where everybody may, and that is said', async (there) => {
    const options = { cacheDirectory: await folder(), s3: anonymous(there), limits };
    const { file, warning } = await fetchSource('s3://public/net.h5', options);
    assert.deepEqual(await readFile(file), content);
    assert.match(warning ?? '', /; asked without credentials, as AWS_ACCESS_KEY_ID is not set\)/);
  });
});

describe('a tfjs layers-model in a bucket', () => {
  withServer('comes with the weight files beside it, and pinned is asked for once', async (there) => {
    const cacheDirectory = await folder();
    const options = { baseDirectory: cacheDirectory, cacheDirectory, s3: there.reader };
    const model = await openModelSource('s3://models/tiny/model.json', options);
    assert.equal(model.origin, 'the tfjs layers-model s3://models/tiny/model.json');
    const bytes = [...model.weights.values()].map(({ data }) =>
      Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    );
    assert.deepEqual(Buffer.concat(bytes), Buffer.from(weightData));
    const [, pin = ''] = / write (#sha256=[0-9a-f]{64}) behind it$/.exec(model.warnings?.[0] ?? '') ?? [];
    const list = execFileSync('sha256sum', ['model.json', ...shards], {
      cwd: path.join(cacheDirectory, 'sources', pin.slice('#sha256='.length)),
    });
    const digest = execFileSync('sha256sum', { input: list }).toString().slice(0, 64);
    assert.equal(pin, `#sha256=${digest}`);
    const away = { ...options, s3: { ...there.reader, endpoint: nowhere } };
    const pinned = await openModelSource(`s3://models/tiny/model.json${pin}`, away);
    assert.deepEqual([pinned.digest, pinned.warnings], [model.digest, undefined]);
  });

  withServer('is fetched anew when one of its files was damaged', async (there) => {
    const options = { cacheDirectory: await folder(), s3: there.reader, limits };
    const { file, sha256 } = await fetchSource('s3://models/tiny/model.json', options);
    const shard = path.join(path.dirname(file), shards[1] as string);
    await writeFile(shard, 'damaged');
    await fetchSource(`s3://models/tiny/model.json#sha256=${sha256}`, options);
    assert.deepEqual(await readFile(shard), Buffer.from(weightData.subarray(half)));
  });

  withServer('of another digest is refused', async (there) => {
    const options = { cacheDirectory: await folder(), s3: there.reader, limits };
    await assert.rejects(fetchSource(`s3://models/tiny/model.json#sha256=${'0'.repeat(64)}`, options), {
      code: 'ModelInvalid',
      message:
        /model\.json: found sha256=[0-9a-f]{64} of the list that sha256sum prints for its 3 files; expected sha256=0{64}$/,
    });
  });
});

const refused: readonly (readonly [source: string, who: Who, message: RegExp])[] = [
  ['s3://none/net.h5', reader, /s3:\/\/none\/net\.h5 cannot be fetched: .* 404 NoSuchBucket: there is no bucket none /],
  ['s3://models/Net.h5', reader, /404 NoSuchKey: the bucket models has no such key; expected s3:\/\/models\/ and/],
  ['s3://models/lone/model.json', reader, /s3:\/\/models\/lone\/group1-shard1of2\.bin cannot be fetched: .* NoSuchKey/],
  ['s3://models/nets/net.h5', (one) => one.stranger, /403 AccessDenied: AWS_ACCESS_KEY_ID may not read it/],
  [
    's3://models/nets/net.h5',
    anonymous,
    /403 .*the bucket models is not public, and there are no credentials; expected/,
  ],
  [
    's3://models/nets/net.h5',
    (one) => ({ ...one.reader, secretAccessKey: 'secret' }),
    /403 SignatureDoesNotMatch: .* expected the AWS_SECRET_ACCESS_KEY of AWS_ACCESS_KEY_ID/,
  ],
  [
    's3://models/nets/net.h5',
    (one) => ({ ...one.reader, accessKeyId: 'AKIASECRET' }),
    /403 InvalidAccessKeyId: it does not know AWS_ACCESS_KEY_ID/,
  ],
  [
    's3://models/nets/net.h5',
    (one) => ({ ...one.reader, endpoint: nowhere }),
    /http:\/\/127\.0\.0\.1:\d+ cannot be reached \(region us-east-1\): .*ECONNREFUSED.* \(2 tries\)$/,
  ],
];

describe('what an S3 server refuses', () => {
  withServer('is said of the field, with its place in the file', async (there) => {
    const cacheDirectory = await folder();
    const model = (source: object): string => aTinyJob({ spec: { model: { input: undefined, ...source } } });
    for (const [jobText, message] of [
      [model({ source: 's3://none/net.h5' }), /^job\.yaml:\d+:\d+: spec\.model\.source: s3:\/\/none\/net\.h5 cannot/],
      [
        model({ source: 'builtin:vgg16', weights: { source: 's3://none/net.h5' } }),
        /^job\.yaml:\d+:\d+: spec\.model\.weights\.source: s3:\/\/none\/net\.h5 cannot/,
      ],
    ] as const) {
      const job = { jobText, fileName: 'job.yaml', baseDir: cacheDirectory, cacheDirectory, s3: there.reader };
      await assert.rejects(prepareJob(job), { code: 'SourceNotFound', message });
    }
  });

  for (const [source, who, message] of refused) {
    withServer(`${source}: ${message.source}`, async (there) => {
      const s3 = who(there);
      await assert.rejects(fetchSource(source, { cacheDirectory: await folder(), s3, limits }), (thrown: Error) => {
        assert.match(thrown.message, /^spec\.model\.source: s3:\/\//);
        assert.match(thrown.message, message);
        for (const secret of [s3.accessKeyId, s3.secretAccessKey]) {
          if (secret) assert.ok(!JSON.stringify([thrown.message, String(thrown.stack)]).includes(secret));
        }
        return true;
      });
    });
  }
});
