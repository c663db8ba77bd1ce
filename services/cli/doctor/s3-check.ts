// What the environment says about S3, as s3:// sources will find it. Asks no server, and shows no key.

import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { s3Bucket } from '@thaw/coordinator/prepare/remote/s3-server.ts';
import type { Check } from './check.ts';

const part = 'S3';

export function checkS3(environment: S3Environment): Check {
  try {
    const { url } = s3Bucket('BUCKET', environment);
    const who = environment.accessKeyId === undefined ? 'no credentials: public buckets only' : 'with credentials';
    return { part, state: 'ok', found: `${decodeURI(url.href)}KEY, ${who}` };
  } catch (thrown) {
    if (!(thrown instanceof ThawError)) throw thrown;
    return { part, state: 'note', found: thrown.message, advice: 's3:// sources cannot be read until it is right' };
  }
}
