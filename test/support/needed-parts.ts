// Whether the parts that set-up installs are there, without loading them into this process. Where one is missing tests
// are skipped, loudly; in CI its absence is an error.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { engineDirectory, natsServerPath } from '../../scripts/setup/locations.mjs';

/** For tests that start whole runs: false, or the reason to skip. */
export async function skipWithoutEngine(): Promise<false | string> {
  const engine = existsSync(path.join(engineDirectory(process.env), 'lib', 'napi-v8', 'tfjs_binding.node'));
  return skipWithout([...(engine ? [] : ['the TensorFlow engine']), ...missingBroker()]);
}

/** The same for runs on another engine than TensorFlow. */
export function skipWithoutNatsServer(): false | string {
  return skipWithout(missingBroker());
}

function missingBroker(): string[] {
  return natsServerPath(process.env) ? [] : ['nats-server'];
}

function skipWithout(missing: readonly string[]): false | string {
  if (missing.length === 0) return false;
  const reason = `${missing.join(' and ')} not set up: run ./thaw once`;
  if (process.env.CI) throw new Error(reason);
  console.error(`\nNOT TESTED end to end: ${reason}\n`);
  return reason;
}
