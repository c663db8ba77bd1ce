// An address on the web as a source names it: `https://host/path/model.h5#sha256=…`.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export interface Address {
  /** Without the fragment. */
  readonly url: URL;
  /** Last part of its path. */
  readonly name: string;
  /** Hexadecimal; null where the address does not say. */
  readonly sha256: string | null;
  /** For messages: without user and query, which may hold a secret. */
  readonly shown: string;
}

export function isRemote(source: string): boolean {
  return /^https?:/.test(source);
}

/** Throws JobInvalid. */
export function parseAddress(source: string): Address {
  if (!URL.canParse(source)) throw unfit(source, 'an address such as https://host/model.h5');
  const url = new URL(source);
  const fragment = url.hash.slice(1);
  url.hash = '';
  const shown = `${url.origin}${url.pathname}`;
  if (url.username !== '' || url.password !== '') {
    throw unfit(`a user or password in front of ${url.host}`, 'an address without them');
  }
  const [, sha256 = null] = /^sha256=([0-9a-f]{64})$/.exec(fragment) ?? [];
  if (fragment !== '' && sha256 === null) throw unfit(`${shown}#${fragment}`, '#sha256= and 64 hexadecimal digits');
  const name = decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  if (name === null || !/^[\w][\w.+-]*\.(h5|hdf5|keras|safetensors)$/i.test(name)) {
    throw unfit(shown, 'one file: .h5, .keras or .safetensors');
  }
  return { url, name, sha256, shown };
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
