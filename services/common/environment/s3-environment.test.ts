import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3Environment, withoutS3 } from './s3-environment.ts';

const none = {
  accessKeyId: undefined,
  secretAccessKey: undefined,
  sessionToken: undefined,
  region: undefined,
  endpoint: undefined,
};

for (const [what, env, expected] of [
  ['nothing', { AWS_PROFILE: 'work' }, {}],
  [
    'credentials',
    { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_SESSION_TOKEN: 'token' },
    { accessKeyId: 'id', secretAccessKey: 'key', sessionToken: 'token' },
  ],
  ['empty variables', { AWS_ACCESS_KEY_ID: '', AWS_REGION: '', AWS_ENDPOINT_URL: '' }, {}],
  ['a region', { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'us-west-2' }, { region: 'eu-west-1' }],
  ['the default region', { AWS_DEFAULT_REGION: 'us-west-2' }, { region: 'us-west-2' }],
  ['the endpoint of S3', { AWS_ENDPOINT_URL_S3: 'http://a', AWS_ENDPOINT_URL: 'http://b' }, { endpoint: 'http://a' }],
  ['the endpoint of all', { AWS_ENDPOINT_URL: 'http://b' }, { endpoint: 'http://b' }],
] as const) {
  test(`the environment says of S3: ${what}`, () => assert.deepEqual(s3Environment(env), { ...none, ...expected }));
}

test('processes that ask S3 for nothing get none of its variables', () => {
  const aws = {
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'key',
    AWS_ENDPOINT_URL_S3: 'http://a',
    AWS_PROFILE: 'a',
  };
  assert.deepEqual(withoutS3({ PATH: '/bin', ...aws }), { PATH: '/bin' });
});
