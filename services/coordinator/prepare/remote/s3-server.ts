// Asks an S3 server for objects: where a bucket is found, and who asks. Requests are signed (AWS Signature Version 4)
// where there are credentials and anonymous otherwise, as public buckets allow. Secrets stand in no address, message or file.

import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { AwsV4Signer } from 'aws4fetch';
import type { FileServer } from './file-server.ts';
import { s3Refusal } from './s3-refusal.ts';

/** Where a bucket lies if nobody says it, as for the tools of AWS. */
const defaultRegion = 'us-east-1';

export interface S3Bucket {
  readonly name: string;
  /** Ends with a slash: keys go behind it. */
  readonly url: URL;
  readonly server: FileServer;
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Throws SetupMissing for an environment that cannot be meant. */
export function s3Bucket(name: string, environment: S3Environment): S3Bucket {
  const { region = defaultRegion } = environment;
  if (!/^[a-z0-9-]+$/.test(region)) throw unset('AWS_REGION', `found "${region}"; expected a region such as eu-west-1`);
  const keys = keysOf(environment);
  const url = bucketUrl(name, region, environment.endpoint);
  return { name, url, server: serverOf({ bucket: name, region, keys, origin: url.origin }) };
}

/** By path at an endpoint of one's own; by host at AWS, whose certificates cover no name with a dot. */
function bucketUrl(name: string, region: string, endpoint: string | undefined): URL {
  if (endpoint !== undefined) return new URL(`${endpointUrl(endpoint)}/${name}/`);
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const isHostName = /^[a-z0-9][a-z0-9-]+$/.test(name);
  return new URL(isHostName ? `https://${name}.${host}/` : `https://${host}/${name}/`);
}

function endpointUrl(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url && isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  const shown = isPlain ? `"${endpoint}"` : 'an address that cannot be read, or with a user or query';
  throw unset('AWS_ENDPOINT_URL', `found ${shown}; expected http(s)://HOST`);
}

/** Null where there are none. */
function keysOf({ accessKeyId, secretAccessKey, sessionToken }: S3Environment): Keys | null {
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey, sessionToken };
  if (accessKeyId === undefined && secretAccessKey === undefined) return null;
  const [missing, there] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  throw accessKeyId === undefined
    ? unset(missing as string, `not set, but ${there} is; expected both or neither`)
    : unset(there as string, `not set, but ${missing} is; expected both or neither`);
}

interface Asked {
  readonly bucket: string;
  readonly region: string;
  readonly keys: Keys | null;
  /** For messages. */
  readonly origin: string;
}

function serverOf({ bucket, region, keys, origin }: Asked): FileServer {
  return {
    ifSame: 'if-match',
    remark: keys ? '' : 'asked without credentials, as AWS_ACCESS_KEY_ID is not set',
    async ask(url, headers, signal) {
      const signed = keys ? await signature(url, region, keys) : {};
      const all = { ...headers, ...signed };
      try {
        return await fetch(url, { headers: all, signal, redirect: 'manual' });
      } catch (cause) {
        if (signal.aborted) throw cause;
        const reason = (cause as Error).cause ?? cause; // `fetch` itself says "fetch failed"
        throw new Error(`${origin} cannot be reached (region ${region})`, { cause: reason });
      }
    },
    refusal: (response) => s3Refusal(response, { bucket, region, isAnonymous: keys === null }),
  };
}

/** Of the address alone: what goes on the way may change other headers. */
async function signature(url: URL, region: string, keys: Keys): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new AwsV4Signer({
    url: url.href,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    service: 's3',
    region,
  });
  const { headers } = await signer.sign();
  return Object.fromEntries(headers as unknown as Iterable<[string, string]>);
}

function unset(variable: string, what: string): ThawError {
  return new ThawError('SetupMissing', `${variable}: ${what}`);
}
