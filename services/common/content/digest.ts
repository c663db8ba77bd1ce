// Content addresses: `sha256:` and 64 hex digits.

import { createHash } from 'node:crypto';

export type Digest = `sha256:${string}`;

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** What a file with this content is called, in every folder of blobs. */
export function fileNameOf(digest: string): string {
  return digest.replace(':', '-');
}

/** Digest of a JSON value with object keys sorted at every level, so that key order never matters. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
