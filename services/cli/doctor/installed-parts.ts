// The parts that set-up installs, or that it needs: each found out by itself, so that a broken one hides no other.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { natsServerPath, natsServerVersion, repositoryRoot } from '../../../scripts/setup/locations.mjs';
import { checkNode } from '../../../scripts/setup/node-version.mjs';
import { natsServer } from '../../../scripts/setup/pins.mjs';
import { packagesAreInstalled } from '../../../scripts/setup/set-up.mjs';
import { setUpTools, toolVersion } from '../../../scripts/setup/tools.mjs';
import { type Check, reasonOf, setUpAdvice } from './check.ts';

export function checkNodeVersion(version: string): Check {
  const part = 'Node';
  try {
    checkNode(version);
    return { part, state: 'ok', found: `${version} (needed: 20.19 or newer, below 23)` };
  } catch (thrown) {
    return { part, state: 'missing', found: reasonOf(thrown), advice: 'install one of these, then run ./thaw' };
  }
}

export async function checkPackages(): Promise<Check> {
  const part = 'npm packages';
  const list = path.join(repositoryRoot, 'node_modules', '.package-lock.json');
  const text = await readFile(list, 'utf8').catch(() => '{}');
  const count = Object.keys((JSON.parse(text) as { packages?: object }).packages ?? {}).length;
  if (packagesAreInstalled()) return { part, state: 'ok', found: `${count} packages, as package-lock.json says` };
  const found = `${count} packages, but not those of package-lock.json or not for this version of Node`;
  return { part, state: 'missing', found, advice: setUpAdvice };
}

/** Decodes every picture. */
export async function checkSharp(): Promise<Check> {
  const part = 'sharp';
  try {
    const { versions } = (await import('sharp')).default;
    return { part, state: 'ok', found: `${versions.sharp ?? 'no version'}, libvips ${versions.vips}` };
  } catch (thrown) {
    const advice = 'remove node_modules and run ./thaw again, on the platform that Thaw is to run on';
    return { part, state: 'missing', found: `does not load: ${reasonOf(thrown)}`, advice };
  }
}

export function checkNatsServer(env: NodeJS.ProcessEnv): Check {
  const part = 'nats-server';
  const needed = `needed: ${natsServer.oldest.join('.')} or newer`;
  const file = natsServerPath(env);
  if (file === null) return { part, state: 'missing', found: `not found (${needed})`, advice: setUpAdvice };
  const version = natsServerVersion(file);
  if (version !== null) return { part, state: 'ok', found: `${version} in ${file} (${needed})` };
  return { part, state: 'missing', found: `${file} does not run`, advice: setUpAdvice };
}

/** `isSetUp`: everything is built, so what only set-up needs is missed by nobody. */
export async function checkTools(env: NodeJS.ProcessEnv, isSetUp: boolean): Promise<Check[]> {
  const checks: Check[] = [];
  for (const tool of setUpTools) {
    const version = await toolVersion(tool, env);
    const purpose = `for set-up: ${tool.purpose}`;
    checks.push(
      version === null
        ? { part: tool.name, state: isSetUp ? 'note' : 'missing', found: `not found (${purpose})`, advice: tool.advice }
        : { part: tool.name, state: 'ok', found: `${shortened(version)} (${purpose})` },
    );
  }
  return checks;
}

/** `pip 23.2.1 from /long/path`: the place is not of interest. */
function shortened(version: string): string {
  return version.replace(/ from \/.*$/, '');
}
