// Fetches what a source names from the web or from S3: one file, or a tfjs layers-model with the weight files beside it.

import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';
import { type FetchedFile, type FetchOptions, fetchFile } from './fetch-file.ts';
import { fetchModel } from './fetch-model.ts';
import { parseAddress } from './remote-address.ts';

export interface SourceOptions extends FetchOptions {
  readonly s3?: S3Environment | undefined;
}

/** Throws JobInvalid, SourceNotFound, ModelInvalid, StorageFailed, and SetupMissing for what the environment says of S3. */
export async function fetchSource(source: string, { s3, ...options }: SourceOptions): Promise<FetchedFile> {
  const address = parseAddress(source, s3);
  return /\.json$/i.test(address.name) ? fetchModel(address, options) : fetchFile(address, options);
}
