// Sets up what is missing for Thaw to run from a checkout: npm packages, the TensorFlow engine, nats-server. Plain
// JavaScript on Node alone, because nothing is installed yet. Says what it does on stderr; silent when there is nothing to do.

import { checkNode } from './setup/node-version.mjs';
import { SetupError } from './setup/run.mjs';
import { setUp } from './setup/set-up.mjs';

try {
  checkNode(process.versions.node);
  await setUp({ ci: Boolean(process.env.CI) });
} catch (error) {
  // Full disks and folders that cannot be written carry a code and a sentence; anything else is a defect of set-up.
  if (!(error instanceof SetupError || ['ENOSPC', 'EACCES', 'EROFS', 'EPERM'].includes(error.code))) throw error;
  process.stderr.write(`thaw set-up: ${error.message}\n`);
  process.exitCode = 1;
}
