// A nats-server on PATH that does something first. When a run starts it, the coordinator has read the job and its data, and
// no trainer runs yet: what is done then cannot come too early or too late, however fast the machine is.

import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { natsServerPath } from '../../scripts/setup/locations.mjs';

/** `first`: lines of shell, an error of which ends the broker. Returns a PATH; its program lies in `folder`. */
export async function pathWithBroker(folder: string, first: string): Promise<string> {
  const bin = await mkdtemp(path.join(folder, 'bin-'));
  const real = natsServerPath(process.env);
  const script = `#!/bin/sh\n[ "$1" = --version ] && exec '${real}' --version\nset -e\n${first}\nexec '${real}' "$@"\n`;
  await writeFile(path.join(bin, 'nats-server'), script, { mode: 0o755 });
  return `${bin}${path.delimiter}${process.env.PATH}`;
}
