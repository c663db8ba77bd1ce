import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../../../../test/support/fixtures/temporary-folder.ts';
import { fetchSource } from './fetch-source.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const other = Buffer.from(content).reverse();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const etagOf = (bytes: Uint8Array): string => `"${sha256(bytes).slice(0, 8)}"`;

type Answer = (response: ServerResponse, headers: IncomingHttpHeaders) => void;

let server: Server;
let address = '';
/** One for each request, the last one for all further ones. */
let answers: Answer[] = [];
let requests: IncomingHttpHeaders[] = [];
let cacheDirectory = '';
const endings: (() => Promise<void>)[] = [];

before(async () => {
  server = createServer((request, response) => {
    requests.push(request.headers);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response, request.headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/net.h5?token=secret`;
});
after(() => void server.close());
beforeEach(async () => {
  cacheDirectory = await temporaryFolder({ after: (ending) => endings.push(ending) });
  requests = [];
});
afterEach(async () => {
  server.closeAllConnections();
  for (const ending of endings.splice(0)) await ending();
});

/** As a file server does it: ETag, conditions and ranges. */
const file =
  (bytes: Buffer, etag = etagOf(bytes)): Answer =>
  (response, { range, 'if-range': ifRange, 'if-none-match': known }) => {
    if (known === etag) return void response.writeHead(304).end();
    const from = ifRange === etag ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
    const rest = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      ...(etag !== '' && { etag }),
      'content-length': rest.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    response.end(rest);
  };
/** The same, cut off in the middle. */
const cutOff: Answer = (response, headers) => {
  const { write } = response;
  response.end = ((rest: Buffer) => {
    write.call(response, rest.subarray(0, 100_000), 'utf8', () => response.destroy());
    return response;
  }) as typeof response.end;
  file(content)(response, headers);
};
const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end();

const limits = { pauseMilliseconds: 1, triesMax: 3 };
const fetchIt = (suffix = '', more: object = {}): ReturnType<typeof fetchSource> =>
  fetchSource(address + suffix, { cacheDirectory, limits: { ...limits, ...more } });
const pin = `#sha256=${sha256(content)}`;

async function left(): Promise<string[]> {
  const all = await readdir(path.join(cacheDirectory, 'sources'), { recursive: true }).catch(() => []);
  return all.filter((name) => /\.(part|etag)$|h5$/.test(name));
}

describe('a file from the web', () => {
  it('is fetched once where its digest is given, and lies by its content under its own name', async () => {
    answers = [file(content)];
    const first = await fetchIt(pin);
    assert.deepEqual(await fetchIt(pin), first);
    assert.equal(requests.length, 1);
    assert.deepEqual(await readFile(first.file), content);
    assert.equal(first.file, path.join(cacheDirectory, 'sources', sha256(content), 'net.h5'));
    assert.deepEqual(
      [first.sha256, first.warning, await left()],
      [sha256(content), null, [`${sha256(content)}/net.h5`]],
    );
  });

  it('is asked for again where no digest is given, and brought again only when it changed', async () => {
    answers = [file(content, '"one"'), file(content, '"one"'), file(other, '"two"')];
    const brought: string[] = [];
    const next = () => fetchSource(address, { cacheDirectory, fetching: (what) => void brought.push(what) });
    const [first, again, changed] = [await next(), await next(), await next()];
    const shown = address.replace(/\?.*/, '');
    assert.deepEqual(brought, [shown, shown]);
    assert.deepEqual(again, first);
    assert.deepEqual(
      requests.map((headers) => headers['if-none-match']),
      [undefined, '"one"', '"one"'],
    );
    assert.deepEqual(await readFile(changed.file), other);
    const said =
      /^http:\/\/127\.0\.0\.1:\d+\/models\/net\.h5 is taken as it is today \(its ETag is "one"\); .* #sha256=/;
    assert.match(first.warning ?? '', said);
  });

  it('is fetched anew when its copy in the cache was damaged', async () => {
    answers = [file(content)];
    const { file: place } = await fetchIt(pin);
    await writeFile(place, 'damaged');
    assert.deepEqual(await readFile((await fetchIt(pin)).file), content);
    assert.equal(requests.length, 2);
  });

  it('is fetched anew when the note about it was damaged', async () => {
    answers = [file(content)];
    await fetchIt();
    const notes = path.join(cacheDirectory, 'sources', 'addresses');
    for (const note of await readdir(notes)) await writeFile(path.join(notes, note), '{"version":');
    assert.deepEqual(await readFile((await fetchIt()).file), content);
    assert.equal(requests.length, 2);
  });

  it('is taken with the note that some uploads to S3 leave', async () => {
    answers = [(response) => void response.writeHead(200, { 'content-encoding': 'aws-chunked' }).end(content)];
    assert.deepEqual(await readFile((await fetchIt(pin)).file), content);
  });

  it('goes on where the connection broke', async () => {
    answers = [cutOff, cutOff, file(content)];
    assert.deepEqual(await readFile((await fetchIt(pin)).file), content);
    const ranges = requests.map(({ range }) => range);
    assert.equal(ranges[0], undefined);
    assert.match(String(ranges[2]), /^bytes=\d{6}-$/);
    assert.deepEqual(
      requests.map((headers) => headers['if-range']),
      [undefined, etagOf(content), etagOf(content)],
    );
  });

  it('goes on where the server ended a part before the end of the file', async () => {
    const part: Answer = (response, { range }) => {
      const from = Number(/\d+/.exec(range ?? '')?.[0]);
      const bytes = content.subarray(from, from + 50_000);
      response.writeHead(206, {
        etag: etagOf(content),
        'content-length': bytes.length,
        'content-range': `bytes ${from}-${from + bytes.length - 1}/${content.length}`,
      });
      response.end(bytes);
    };
    answers = [cutOff, part, file(content)];
    assert.deepEqual(await readFile((await fetchIt()).file), content);
    assert.equal(requests.length, 3);
  });

  it('starts anew where the server says that it has not changed, and nobody asked', async () => {
    answers = [cutOff, status(304), file(content)];
    assert.deepEqual(await readFile((await fetchIt()).file), content);
    assert.deepEqual([requests[1]?.['if-none-match'], requests[2]?.range], [undefined, undefined]);
  });

  it('starts anew when it became another file meanwhile', async () => {
    answers = [cutOff, file(other)];
    const { file: place } = await fetchIt();
    assert.match(String(requests[1]?.range), /^bytes=/);
    assert.deepEqual(await readFile(place), other);
  });

  it('goes on in the next run where this one gave up', async () => {
    answers = [cutOff];
    await assert.rejects(fetchIt(pin, { triesMax: 1 }), { code: 'SourceNotFound' });
    answers = [file(content)];
    assert.deepEqual(await readFile((await fetchIt(pin)).file), content);
    assert.match(String(requests[1]?.range), /^bytes=\d+-$/);
    assert.deepEqual(await left(), [`${sha256(content)}/net.h5`]);
  });

  it('is tried again when the server is busy, and not when it says no', async () => {
    answers = [status(503), status(429), file(content)];
    await fetchIt(pin);
    assert.equal(requests.length, 3);
    answers = [status(404)];
    await assert.rejects(fetchIt(), {
      code: 'SourceNotFound',
      message: /net\.h5 cannot be fetched: its server says 404/,
    });
    assert.equal(requests.length, 4);
  });

  it('of another digest is refused and leaves nothing', async () => {
    answers = [file(other)];
    const message = new RegExp(`net\\.h5: found sha256=${sha256(other)}; expected sha256=${sha256(content)}$`);
    await assert.rejects(fetchIt(pin), { code: 'ModelInvalid', message });
    assert.deepEqual(await left(), []);
  });

  it('of another digest is refused also where it was fetched before without one', async () => {
    answers = [file(other)];
    await fetchIt();
    await assert.rejects(fetchIt(pin), { code: 'ModelInvalid', message: /expected sha256=/ });
    assert.equal(requests[1]?.['if-none-match'], etagOf(other));
  });
});

const dripping: Answer = (response) => {
  response.writeHead(200);
  const drip = setInterval(() => response.write('x'), 2);
  response.once('close', () => clearInterval(drip));
};
const endless: Answer = (response) => {
  const more = (): void => {
    while (!response.destroyed && response.write(content));
  };
  response.writeHead(200).on('drain', more);
  more();
};
const packed: Answer = (response) =>
  void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000)));
const chunked: Answer = (response) => void response.writeHead(200).end(content);
const short: Answer = (response) =>
  void response.writeHead(200, { 'content-length': 1000 }).write('x', () => response.destroy());

describe('what is refused of the web, without the secret in its address', () => {
  const laterPart =
    (etag: string, range: string): Answer =>
    (response, headers) => {
      if (headers.range === undefined) return cutOff(response, headers);
      response.writeHead(206, { etag, 'content-range': range.replace('FROM', /\d+/.exec(headers.range)?.[0] ?? '') });
      response.end('x');
    };
  const otherPart = laterPart('"other"', 'bytes FROM-299999/300000');
  const wrongRange = laterPart(etagOf(content), 'bytes 0-9/10');
  const leadsTo =
    (location: string): Answer =>
    (response) =>
      void response.writeHead(302, { location }).end();
  const silent: Answer = (response) => void response.writeHead(200, { 'content-length': 10 }).write('x');
  const cases: readonly (readonly [what: string, answer: Answer, more: object, message: RegExp])[] = [
    ['a file that is too large', file(content), { bytesMax: 1000 }, /it has 300000 bytes; expected at most 1000$/],
    ['one that does not say how large', chunked, { bytesMax: 1000 }, /it has more than 1000 bytes$/],
    [
      'a server that falls silent',
      silent,
      { silenceMilliseconds: 20, triesMax: 1 },
      /fewer than 65536 bytes came in 20 ms \(1 tries\)$/,
    ],
    [
      'a server that gives a byte at a time',
      dripping,
      { silenceMilliseconds: 20, triesMax: 1 },
      /fewer than 65536 bytes came in 20 ms \(1 tries\)$/,
    ],
    [
      'a file that would unpack to more',
      packed,
      {},
      /it comes packed \(content-encoding gzip\); expected it as it is$/,
    ],
    ['a file without end', endless, { bytesMax: 1_000_000 }, /it has more than 1000000 bytes$/],
    ['a file that is shorter than it says', short, { triesMax: 1 }, /\(1 tries\)$/],
    [
      'a part of another file',
      otherPart,
      { triesMax: 2 },
      /found a part of the file "other"; expected one of "[0-9a-f]{8}"/,
    ],
    ['a part from elsewhere', wrongRange, { triesMax: 2 }, /found the range bytes 0-9\/10; expected \d+-/],
    ['a way to a file of this machine', leadsTo('file:///etc/passwd'), {}, /leads to file:; expected http\(s\)/],
    ['a way in a circle', leadsTo('/models/net.h5'), {}, /its server leads on 10 times; expected the file$/],
    ['a server that only says that nothing changed', status(304), {}, /its server says 304 Not Modified \(3 tries\)$/],
    ['a server that stays broken', status(500), {}, /its server says 500 Internal Server Error \(3 tries\)$/],
  ];
  for (const [what, answer, more, message] of cases) {
    it(what, async () => {
      answers = [answer];
      await assert.rejects(fetchIt('', more), (thrown: Error) => {
        assert.match(thrown.message, message);
        assert.match(
          thrown.message,
          /^spec\.model\.source: http:\/\/127\.0\.0\.1:\d+\/models\/net\.h5 cannot be fetched: /,
        );
        assert.doesNotMatch(thrown.message, /secret/);
        return true;
      });
    });
  }

  it('an answer nobody reads, whose connection is let go', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    answers = [
      (response) => {
        closed = once(response, 'close');
        response.writeHead(404).write('no, because');
      },
    ];
    await assert.rejects(fetchIt(), { code: 'SourceNotFound' });
    await closed;
  });

  for (const [source, message] of [
    ['https://', /found https:\/\/; expected an address such as/],
    [
      'https://host/model.pt',
      /found https:\/\/host\/model\.pt; expected one file: \.h5, \.keras, \.safetensors, or the model\.json of/,
    ],
    ['https://me:secret@', /found https:\/\/…@; expected an address such as/],
    ['s3:bucket/net.h5', /found s3:bucket\/net\.h5; expected s3:\/\/BUCKET\/KEY$/],
    ['s3://bucket', /found s3:\/\/bucket; expected s3:\/\/BUCKET\/KEY$/],
    ['s3://key:secret@bucket/net.h5', /found s3:\/\/…@bucket\/net\.h5; expected s3:\/\/BUCKET\/KEY$/],
    ['s3://bucket/a/../net.h5', /expected a key without the parts "\." and "\.\."$/],
    ['s3://bucket/net.h5#md5=1', /found s3:\/\/bucket\/net\.h5#md5=1; expected #sha256= and 64/],
    ['s3://bucket/.h5', /found s3:\/\/bucket\/\.h5; expected one file/],
    ['https://host/net.h5#md5=1', /found https:\/\/host\/net\.h5#md5=1; expected #sha256= and 64 hexadecimal digits$/],
    ['https://host/..%2Fnet.h5', /expected one file/],
    ['https://host/%zz.h5', /found https:\/\/host\/%zz\.h5; expected one file/],
    ['https://me:secret@host/net.h5', /found a user or password in front of host; expected an address without/],
  ] as const) {
    it(source, async () => {
      await assert.rejects(fetchSource(source, { cacheDirectory }), { code: 'JobInvalid', message });
    });
  }
});
