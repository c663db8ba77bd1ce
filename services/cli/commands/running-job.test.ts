// What every command that speaks to a run refuses, and how it finds the run.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { writeMark } from '@thaw/coordinator/export/output-folder.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { writeRunAddress } from '@thaw/coordinator/export/run-address.ts';
import { temporaryFolder } from '../../../test/support/fixtures/temporary-folder.ts';
import { aTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { capturedWorld } from '../testing/captured-world.ts';
import { type ServedOptions, type ServedRun, serveRun } from '../testing/served-run.ts';
import { scaleCommand } from './scale.ts';

const job = { uid: '01TEST', name: 'digits', jobDigest: 'sha256:0' };
/** No process has it: Linux numbers end before. */
const nobody = 4_194_305;

async function scale(folder: string, ...args: readonly string[]) {
  const world = capturedWorld({ cwd: folder, cacheDirectory: folder });
  await scaleCommand(world)
    .exitOverride()
    .parseAsync([...args], { from: 'user' });
  return world;
}

interface Refused {
  readonly what: string;
  readonly job: string;
  readonly there?: (folder: string) => Promise<unknown>;
  readonly code: string;
  readonly message: RegExp;
}

const marked = (pid: number | null, state: string) => (folder: string) =>
  writeMark(path.join(folder, 'out'), { ...job, pid, state });
const begun = async (folder: string) => {
  await writeFile(resultFiles(path.join(folder, 'out')).events, '{"kind":"snapshotStored","step":12}\n');
};

const refusals: readonly Refused[] = [
  {
    what: 'a path with nothing there',
    job: 'nowhere',
    code: 'SourceNotFound',
    message: /^nowhere: there is no such file or folder; expected a job file or the output folder of a run$/,
  },
  {
    what: 'a folder that is none of a run',
    job: 'other',
    there: (folder) => mkdir(path.join(folder, 'other')),
    code: 'NotRunning',
    message: /^found no run in other; expected the output folder of `thaw run`$/,
  },
  {
    what: 'a job whose run is in another folder, or was never started',
    job: 'job.yaml',
    there: (folder) => writeFile(path.join(folder, 'job.yaml'), aTinyJob()),
    code: 'NotRunning',
    message: /^found no run in out; .*; for one that was begun with --out, give that folder$/,
  },
  {
    what: 'a run that has succeeded',
    job: 'out',
    there: marked(null, 'Succeeded'),
    code: 'NotRunning',
    message: /^no run is under way in out: it has succeeded, see out\/report\.html$/,
  },
  {
    what: 'a run that was cancelled',
    job: 'out',
    there: async (folder) => {
      await marked(null, 'Cancelled')(folder);
      await begun(folder);
    },
    code: 'NotRunning',
    message: /in out: it ended as Cancelled; `thaw run --resume out` goes on after step 12$/,
  },
  {
    what: 'a run that was killed, with the address that it left',
    job: 'out',
    there: async (folder) => {
      await marked(nobody, 'Running')(folder);
      await begun(folder);
      await writeRunAddress(path.join(folder, 'out'), { address: '127.0.0.1:1', pid: nobody, uid: job.uid });
    },
    code: 'NotRunning',
    message: /in out: it was killed; `thaw run --resume out` goes on after step 12$/,
  },
  {
    what: 'a run whose coordinator does not listen yet',
    job: 'out',
    there: marked(process.pid, 'Running'),
    code: 'NotRunning',
    message: /in out: its coordinator \(process \d+\) is just starting or ending; try again$/,
  },
];

for (const { what, job: given, there, code, message } of refusals) {
  it(`refuses ${what}`, async (context) => {
    const folder = await temporaryFolder(context);
    await there?.(folder);
    await assert.rejects(scale(folder, given, '2'), { code, message });
  });
}

interface Served {
  readonly what: string;
  readonly options?: ServedOptions;
  readonly change?: (run: ServedRun) => Promise<unknown>;
  readonly code: string;
  readonly message: RegExp;
}

const served: readonly Served[] = [
  {
    what: 'somebody else listens at the address that a killed run left',
    options: { status: { uid: '01OTHER' } },
    code: 'NotRunning',
    message: /^no run is under way in out: /,
  },
  {
    what: 'the number is refused, with the reason',
    options: { view: { scale: () => 'found 9 trainers; expected 1 to 8' } },
    code: 'JobInvalid',
    message: /^found 9 trainers; expected 1 to 8$/,
  },
  {
    what: 'the coordinator is gone between two questions',
    change: ({ close }) => close(),
    code: 'NotRunning',
    message: /^no run is under way in out: /,
  },
];

for (const { what, options, change, code, message } of served) {
  it(`says that ${what}`, async (context) => {
    const folder = await temporaryFolder(context);
    const run = await serveRun(context, folder, options);
    await change?.(run);
    await assert.rejects(scale(folder, 'out', '9'), { code, message });
  });
}

it('finds a run by its folder, and by its job file where that says where the result goes', async (context) => {
  const folder = await temporaryFolder(context);
  const run = await serveRun(context, folder);
  await writeFile(path.join(folder, 'job.yaml'), aTinyJob({ spec: { output: { uri: 'file:out' } } }));
  const said = await scale(folder, 'out', '3');
  const json = await scale(folder, 'job.yaml', '2', '--json');
  assert.equal(said.written(), 'digits: from 2 trainers to 3\n');
  assert.deepEqual(JSON.parse(json.written()), { out: run.out, name: 'digits', from: 2, to: 2 });
  assert.deepEqual(run.asked, ['scale: 3', 'scale: 2']);
});

it('does not understand a number of trainers that is none', async (context) => {
  const folder = await temporaryFolder(context);
  for (const number of ['0', '-1', 'two', '1.5']) {
    await assert.rejects(scale(folder, 'out', '--', number), { name: 'CommanderError' }, number);
  }
});
