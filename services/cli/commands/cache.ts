// `thaw cache ls` and `thaw cache gc`: what the cache folder holds, and taking away what has not been used for long.

import { systemClock } from '@thaw/common/clock/clock.ts';
import { bytesText } from '@thaw/common/text/number-text.ts';
import { stageBytesDefault, stageMillisecondsMax } from '@thaw/coordinator/adapters/kept-stages/kept-stages.ts';
import { Command, Option } from 'commander';
import { ageOf, ageText, byteCount } from '../cache/amounts.ts';
import { type CacheEntry, readCache, toRemove } from '../cache/cache-contents.ts';
import { plural } from '../view/number-text.ts';
import type { World } from '../world.ts';

export function cacheCommand(world: World): Command {
  const command = new Command('cache').description('list or clean what this machine keeps for later runs');
  command.addCommand(
    new Command('ls')
      .description('what there is, by kind, the one used last first')
      .option('--json', 'as JSON', false)
      .action((options: { readonly json: boolean }) => list(world, options)),
  );
  command.addCommand(
    new Command('gc')
      .description('remove stages, features and blobs that were used longest ago; set-up and examples stay')
      .addOption(
        new Option('--max-age <age>', 'what is unused for longer goes: 90m, 12h, 30d')
          .argParser(ageOf)
          .default(stageMillisecondsMax, '30d'),
      )
      .addOption(
        new Option('--max-bytes <bytes>', 'then the oldest go until the rest fits: 500Mi, 20Gi')
          .argParser(byteCount)
          .default(2 * stageBytesDefault, '20Gi'),
      )
      .option('--dry-run', 'only say what would go', false)
      .option('--json', 'as JSON', false)
      .action((options: GcOptions) => collect(world, options)),
  );
  return command;
}

async function list(world: World, { json }: { readonly json: boolean }): Promise<void> {
  const { entries } = await readCache(world.cacheDirectory, systemClock.wall());
  const folder = world.cacheDirectory;
  const total = sumOf(entries);
  if (json) return writeJson(world, { folder, bytes: total, entries: entries.map(plain) });
  const kinds = [...new Set(entries.map(({ kind }) => kind))];
  const lines = kinds.flatMap((kind) => {
    const own = entries.filter((entry) => entry.kind === kind);
    const note = own.some(({ isRemovable }) => isRemovable) ? '' : ', not removed by gc';
    return [`${kind}: ${bytesText(sumOf(own))}${note}`, ...own.map(entryLine)];
  });
  world.stdout.write(`${[...lines, `${bytesText(total)} in ${folder}`].join('\n')}\n`);
}

interface GcOptions {
  readonly maxAge: number;
  readonly maxBytes: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

async function collect(world: World, { maxAge, maxBytes, dryRun, json }: GcOptions): Promise<void> {
  const now = systemClock.wall();
  const contents = await readCache(world.cacheDirectory, now);
  const going = toRemove(contents, { millisecondsMax: maxAge, bytesMax: maxBytes, now });
  if (!dryRun) await contents.remove(going);
  const bytes = sumOf(going);
  if (json) return writeJson(world, { dryRun, bytes, removed: going.map(plain) });
  const done = `${dryRun ? 'would remove' : 'removed'} ${plural(going.length, 'item')}, ${bytesText(bytes)}`;
  world.stdout.write(`${[...going.map(entryLine), done].join('\n')}\n`);
}

function sumOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function entryLine({ name, bytes, usedAt }: CacheEntry): string {
  const age = ageText(systemClock.wall() - usedAt);
  return `  ${bytesText(bytes).padStart(9)}  ${age.padStart(7)} ago  ${name}`;
}

/** `usedAt` as ISO 8601. */
function plain({ kind, name, bytes, usedAt, isRemovable }: CacheEntry) {
  return { kind, name, bytes, usedAt: new Date(usedAt).toISOString(), isRemovable };
}

function writeJson({ stdout }: World, value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
