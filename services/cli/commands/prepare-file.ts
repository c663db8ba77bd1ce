// The job of a file that a command was given, with its model and its data, opened and checked as `thaw run` does it.

import path from 'node:path';
import type { Overrides } from '@thaw/common/job/resolve.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import type { World } from '../world.ts';
import { readJobText } from './options.ts';
import { sayFetching } from './say-fetching.ts';

/** `job`: as the user wrote it; places in messages begin with it. Throws a ThawError that says what is wrong, and where. */
export async function prepareFile(world: World, job: string, overrides: Overrides = {}): Promise<PreparedJob> {
  const file = path.resolve(world.cwd, job);
  return prepareJob({
    jobText: await readJobText(file),
    fileName: job,
    baseDir: path.dirname(file),
    cacheDirectory: world.cacheDirectory,
    s3: world.s3,
    fetching: sayFetching(world),
    overrides,
  });
}
