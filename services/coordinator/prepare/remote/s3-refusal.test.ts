import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { s3Refusal } from './s3-refusal.ts';
import { s3Bucket } from './s3-server.ts';

// Answers that AWS gives and the tests' own S3 server does not, as the reference of S3's errors has them.
const xml = (code: string, more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message>${more}<AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>`;

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

let server: Server;
let answer: Answer = { status: 200 };

before(async () => {
  server = createServer((_, response) => void response.writeHead(answer.status, answer.headers).end(answer.body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => void server.close());

const moved = /^the bucket models lies in the region eu-west-1; expected AWS_REGION=eu-west-1, found us-east-1$/;
const cases: readonly (readonly [what: string, answer: Answer, message: RegExp, mayPass?: boolean])[] = [
  [
    'another region, by its header',
    {
      status: 301,
      headers: { 'x-amz-bucket-region': 'eu-west-1', location: 'http://127.0.0.1:9/' },
      body: xml('PermanentRedirect'),
    },
    moved,
  ],
  [
    'another region, by its answer',
    { status: 400, body: xml('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>') },
    moved,
  ],
  [
    'another region, of a new bucket',
    { status: 307, headers: { 'x-amz-bucket-region': 'eu-west-1' }, body: xml('TemporaryRedirect') },
    moved,
  ],
  [
    'another endpoint',
    { status: 301, body: xml('PermanentRedirect') },
    /301 PermanentRedirect: the bucket models is served by another endpoint; expected AWS_REGION or AWS_ENDPOINT_URL of/,
  ],
  [
    'a clock that is wrong',
    { status: 403, headers: { date: 'Tue, 24 Nov 2026 10:00:00 GMT' }, body: xml('RequestTimeTooSkewed') },
    /its clock says Tue, 24 Nov 2026 10:00:00 GMT, which this machine's clock is too far from; expected at most 15 minutes$/,
  ],
  [
    'an old session',
    { status: 400, body: xml('ExpiredToken') },
    /the credentials have expired; expected an AWS_SESSION_TOKEN/,
  ],
  ['a key without an access list', { status: 403, body: '' }, /403 Forbidden: AWS_ACCESS_KEY_ID may not read it/],
  ['an archived object', { status: 403, body: xml('InvalidObjectState') }, /lies in an archive \(Glacier\)/],
  ['a busy server', { status: 503, body: xml('SlowDown') }, /^its server says 503 SlowDown$/, true],
  ['a slow request', { status: 400, body: xml('RequestTimeout') }, /^its server says 400 RequestTimeout$/, true],
  [
    'an answer without end',
    { status: 400, body: `${' '.repeat(200_000)}${xml('ExpiredToken')}` },
    /^its server says 400 Bad Request$/,
  ],
];

for (const [what, given, message, mayPass = false] of cases) {
  test(`said of S3: ${what}`, async () => {
    answer = given;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const response = await fetch(url, { redirect: 'manual' });
    const refusal = await s3Refusal(response, { bucket: 'models', region: 'us-east-1', isAnonymous: false });
    assert.match(refusal.reason, message);
    assert.equal(refusal.mayPass, mayPass);
    assert.doesNotMatch(refusal.reason, /AKIA/);
  });
}

for (const [what, name, environment, url] of [
  ['at AWS by host', 'models', {}, 'https://models.s3.us-east-1.amazonaws.com/'],
  ['in its region', 'models', { region: 'eu-west-1' }, 'https://models.s3.eu-west-1.amazonaws.com/'],
  ['in China', 'models', { region: 'cn-north-1' }, 'https://models.s3.cn-north-1.amazonaws.com.cn/'],
  ['by path where a dot would break the certificate', 'my.models', {}, 'https://s3.us-east-1.amazonaws.com/my.models/'],
  ['by path at an endpoint', 'models', { endpoint: 'https://minio:9000/s3/' }, 'https://minio:9000/s3/models/'],
] as const) {
  test(`a bucket is found ${what}`, () => assert.equal(s3Bucket(name, environment).url.href, url));
}

for (const [what, environment, message] of [
  [
    'half a pair of keys',
    { accessKeyId: 'AKIA' },
    /^AWS_SECRET_ACCESS_KEY: not set, but AWS_ACCESS_KEY_ID is; expected both/,
  ],
  ['the other half', { secretAccessKey: 'secret' }, /^AWS_ACCESS_KEY_ID: not set, but AWS_SECRET_ACCESS_KEY is/],
  [
    'a region that is none',
    { region: 'evil.example/' },
    /^AWS_REGION: found "evil\.example\/"; expected a region such as/,
  ],
  [
    'an endpoint without a scheme',
    { endpoint: 'minio:9000' },
    /^AWS_ENDPOINT_URL: found "minio:9000"; expected http\(s\):\/\/HOST$/,
  ],
  ['an endpoint with a password', { endpoint: 'https://me:secret@minio' }, /^AWS_ENDPOINT_URL: found an address that/],
] as const) {
  test(`of the environment is refused: ${what}`, () => {
    assert.throws(
      () => s3Bucket('models', environment),
      (thrown: Error & { code?: string }) => {
        assert.equal(thrown.code, 'SetupMissing');
        assert.match(thrown.message, message);
        assert.doesNotMatch(thrown.message, /secret/);
        return true;
      },
    );
  });
}
