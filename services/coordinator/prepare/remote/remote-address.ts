// An address as a source names it: `https://host/path/model.h5#sha256=…` or `s3://bucket/path/model.h5#sha256=…`.

import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { FileServer } from './file-server.ts';
import { s3Bucket } from './s3-server.ts';
import { webServer } from './web-server.ts';

export interface Address {
  /** Without the fragment. */
  readonly url: URL;
  readonly server: FileServer;
  /** Last part of its path, fit for a file's name. */
  readonly name: string;
  /** Hexadecimal; null where the address does not say. */
  readonly sha256: string | null;
  /** For messages: without user and query, which may hold a secret. */
  readonly shown: string;
}

const fileKinds = /\.(h5|hdf5|keras|safetensors|json)$/i;
const digestForm = '#sha256= and 64 hexadecimal digits';

export function isRemote(source: string): boolean {
  return /^(https?|s3):/.test(source);
}

/** Throws JobInvalid, for S3 also SetupMissing. */
export function parseAddress(source: string, s3: S3Environment = {}): Address {
  const address = source.startsWith('s3:') ? s3Address(source, s3) : webAddress(source);
  if (isFileName(address.name) && fileKinds.test(address.name)) return address;
  throw unfit(address.shown, 'one file: .h5, .keras, .safetensors, or the model.json of a tfjs layers-model');
}

/** Of a file in the same folder; a query stays, as tfjs has it. `name` must be a file's name. */
export function addressBeside(address: Address, name: string): Address {
  const url = new URL(address.url);
  url.pathname = url.pathname.replace(/[^/]*$/, encodeURIComponent(name));
  return { ...address, url, name, sha256: null, shown: address.shown.replace(/[^/]*$/, name) };
}

/** Whether it can be no path, and nothing hidden. */
export function isFileName(name: string): boolean {
  return /^\w[\w.+-]{0,199}$/.test(name);
}

function webAddress(source: string): Address {
  if (!URL.canParse(source)) throw unfit(withoutSecrets(source), 'an address such as https://host/model.h5');
  const url = new URL(source);
  const fragment = url.hash.slice(1);
  url.hash = '';
  const shown = `${url.origin}${url.pathname}`;
  if (url.username !== '' || url.password !== '') {
    throw unfit(`a user or password in front of ${url.host}`, 'an address without them');
  }
  const sha256 = digestIn(fragment, shown);
  return { url, server: webServer, name: decoded(lastPart(url.pathname)) ?? '', sha256, shown };
}

/** Keys are taken as they are written, as the tools of AWS do: a percent sign is a percent sign. */
function s3Address(source: string, s3: S3Environment): Address {
  const [, bucketName, key, fragment = ''] = /^s3:\/\/([\w][\w.-]{1,62})\/([^#]+)(?:#(.*))?$/.exec(source) ?? [];
  if (bucketName === undefined || key === undefined) throw unfit(withoutSecrets(source), 's3://BUCKET/KEY');
  const parts = key.split('/');
  if (parts.some((part) => part === '.' || part === '..')) throw unfit(source, 'a key without the parts "." and ".."');
  const shown = `s3://${bucketName}/${key}`;
  const sha256 = digestIn(fragment, shown);
  const { url, server } = s3Bucket(bucketName, s3);
  return { url: new URL(url.href + parts.map(escaped).join('/')), server, name: lastPart(key), sha256, shown };
}

/** All that RFC 3986 does not leave free, so that the signature is made of what is sent. */
function escaped(part: string): string {
  return encodeURIComponent(part).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function digestIn(fragment: string, shown: string): string | null {
  const [, sha256 = null] = /^sha256=([0-9a-f]{64})$/.exec(fragment) ?? [];
  if (fragment !== '' && sha256 === null) throw unfit(`${shown}#${fragment}`, digestForm);
  return sha256;
}

function lastPart(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

/** What stands where others write a password, or a token. */
function withoutSecrets(source: string): string {
  return source.replace(/\/\/[^/]*@/, '//…@').replace(/\?[^#]*/, '?…');
}

/** Null for what is no text: `%zz`. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function unfit(found: string, expected: string): ThawError {
  return new ThawError('JobInvalid', `spec.model.source: found ${found}; expected ${expected}`);
}
