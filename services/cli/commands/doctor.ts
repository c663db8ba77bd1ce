// `thaw doctor`: every part that Thaw stands on, its version and state, and what to do about what is missing. Changes
// nothing; exit status 1 when something that is needed is not there.

import { Command } from 'commander';
import type { Check } from '../doctor/check.ts';
import { checkEngines } from '../doctor/engine-checks.ts';
import { checkNatsServer, checkNodeVersion, checkPackages, checkSharp, checkTools } from '../doctor/installed-parts.ts';
import { checkCacheFolder, checkMemory, checkProcessors, checkWorkingFolder } from '../doctor/machine-checks.ts';
import { checkS3 } from '../doctor/s3-check.ts';
import { plural } from '../view/number-text.ts';
import type { World } from '../world.ts';

export function doctorCommand(world: World): Command {
  return new Command('doctor')
    .description('what Thaw stands on here, and what is missing')
    .option('--json', 'as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const parts = await checkAll(world);
      const missing = parts.filter(({ state }) => state === 'missing').length;
      const ok = missing === 0;
      world.stdout.write(json ? `${JSON.stringify({ ok, parts }, null, 2)}\n` : doctorText(parts, missing));
      if (!ok) world.exitWith(1);
    });
}

async function checkAll({ env, cwd, cacheDirectory, s3 }: World): Promise<Check[]> {
  const engines = await checkEngines(env);
  const nats = checkNatsServer(env);
  const isSetUp = [...engines, nats].every(({ state }) => state !== 'missing');
  return [
    checkNodeVersion(process.versions.node),
    await checkPackages(),
    ...engines,
    nats,
    await checkSharp(),
    ...(await checkTools(env, isSetUp)),
    checkMemory(),
    await checkProcessors(),
    await checkCacheFolder(cacheDirectory),
    await checkWorkingFolder(cwd),
    checkS3(s3),
  ];
}

const stateWidth = 'MISSING'.length;

function doctorText(parts: readonly Check[], missing: number): string {
  const width = Math.max(...parts.map(({ part }) => part.length));
  const lines = parts.flatMap(({ part, state, found, advice }) => {
    const label = state === 'missing' ? 'MISSING' : state;
    const line = `${label.padEnd(stateWidth)}  ${part.padEnd(width)}  ${found}`;
    return advice === undefined ? [line] : [line, `${' '.repeat(stateWidth + width + 4)}${advice}`];
  });
  const end = missing === 0 ? 'Everything that Thaw needs is there.' : `${plural(missing, 'part')} missing.`;
  return `${[...lines, '', end].join('\n')}\n`;
}
