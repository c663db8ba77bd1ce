// Where a run has its output folder, how a path is shown to who would type it, and the command that takes a run up.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ParsedJob } from '@thaw/common/job/parse.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { World } from '../world.ts';

/** Where the result goes. A relative place starts at the current folder, like every output of a command. */
export function outputFolder({ cwd }: Pick<World, 'cwd'>, { job }: ParsedJob, out?: string): string {
  const uri = job.spec.output.uri ?? `file:out/${job.metadata.name}`;
  return path.resolve(cwd, out ?? uri.replace(/^file:/, ''));
}

/** A path as the user would type it. */
export function shownPath({ cwd }: Pick<World, 'cwd'>, file: string): string {
  const relative = path.relative(cwd, file);
  return relative === '' ? '.' : relative.startsWith('..') ? file : relative;
}

/** What to type next for a run without a result. Whoever has begun goes on; before that there is nothing to go on with. */
export function nextTime(world: Pick<World, 'cwd' | 'command'>, out: string): string {
  const { events } = resultFiles(out);
  if (!existsSync(events)) return 'the same command starts anew';
  const line = `${world.command} run --resume ${shownPath(world, out)}`;
  const [step] =
    [...readFileSync(events, 'utf8').matchAll(/"kind":"snapshotStored".*"step":(\d+)/g)].at(-1)?.slice(1) ?? [];
  return step === undefined ? `\`${line}\` goes on` : `\`${line}\` goes on after step ${step}`;
}
