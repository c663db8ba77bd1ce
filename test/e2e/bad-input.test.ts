// What people get wrong, as they would: each through the command line, with the message that they see. What can be found
// before training is found before anything is started or written.

import assert from 'node:assert/strict';
import { access, chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { aTinyJob, type Fields, writeTinyJob } from '../support/fixtures/tiny-job.ts';
import { skipWithoutEngine } from '../support/needed-parts.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { eventsOf, runThaw, startThaw, until } from '../support/thaw-process.ts';

interface Case {
  readonly what: string;
  /** Over the tiny job; or the whole text. */
  readonly job: Fields | string;
  readonly args?: readonly string[];
  readonly message: RegExp;
  /** Makes the folder as the case wants it; model and images are there. */
  readonly prepare?: (folder: string) => Promise<void>;
}

const spec = (changes: Fields): Fields => ({ spec: changes });
const stage = (changes: Fields): Fields => ({
  spec: { train: { schedule: { stages: [{ name: 'head', trainable: ['head/**'], epochs: 1, ...changes }] } } },
});

const cases: readonly Case[] = [
  {
    what: 'a misspelt key',
    job: spec({ train: { optimiser: { sgd: { learningRate: 0.1 } } } }),
    message:
      /error \[JobInvalid\] job\.yaml:\d+:\d+: spec\.train\.optimiser: found the unknown key "optimiser"; did you mean "optimizer"\?/,
  },
  {
    what: 'an unknown key',
    job: spec({ quux: 1 }),
    message: /error \[JobInvalid\] job\.yaml:\d+:\d+: spec\.quux: found the unknown key "quux"; expected task, model/,
  },
  {
    what: 'a wrong type',
    job: spec({ train: { microBatch: 'many' } }),
    message: /error \[JobInvalid\] job\.yaml:\d+:\d+: spec\.train\.microBatch: found "many"; expected a number/,
  },
  {
    what: 'YAML that is none',
    job: 'spec: [1, 2\nkind: x\n',
    message: /error \[JobInvalid\] job\.yaml:\d+:\d+: /,
  },
  {
    what: 'a task that is not built yet',
    job: spec({ task: 'objectDetection' }),
    message: /error \[NotSupported\] job\.yaml:\d+:\d+: spec\.task: task objectDetection is not supported yet/,
  },
  {
    what: 'an unknown version of the format',
    job: { apiVersion: 'thaw.dev/v9' },
    message: /error \[JobInvalid\] job\.yaml:1:13: apiVersion: found "thaw\.dev\/v9"; expected thaw\.dev\/v1alpha1/,
  },
  {
    what: 'a selector that matches nothing',
    job: stage({ trainable: ['head/**', 'backbone/block9_*'] }),
    message:
      /error \[JobInvalid\] job\.yaml:\d+:\d+: spec\.train\.schedule\.stages\[0\]\.trainable\[1\]: .*"backbone\/block9_\*" matches no layer with trainable tensors; there are for example backbone\/block1_bn/,
  },
  {
    what: 'one class only',
    job: {},
    message:
      /error \[DataInvalid\] job\.yaml:\d+:\d+: spec\.data\.source: .*one class only \("circle"\); expected two or more/,
    async prepare(folder) {
      for (const name of ['square', 'stripes']) await rm(path.join(folder, 'images', name), { recursive: true });
    },
  },
  {
    what: 'an empty folder',
    job: {},
    message:
      /error \[DataInvalid\] job\.yaml:\d+:\d+: spec\.data\.source: .*images: found 0 entries and no folder; expected one folder per class/,
    async prepare(folder) {
      await rm(path.join(folder, 'images'), { recursive: true });
      await mkdir(path.join(folder, 'images'));
    },
  },
  {
    what: 'data that is not there',
    job: spec({ data: { source: 'file:imagse' } }),
    message:
      /error \[SourceNotFound\] job\.yaml:\d+:\d+: spec\.data\.source: .*file:imagse does not exist \(looked at .*imagse\)/,
  },
  {
    what: 'a model that is not there',
    job: spec({ model: { source: 'file:modle' } }),
    message: /error \[SourceNotFound\] job\.yaml:\d+:\d+: spec\.model\.source: .*file:modle does not exist/,
  },
  {
    what: 'a truncated model',
    job: {},
    message: /error \[ModelInvalid\].*weights\.bin is truncated: \S+ ends at byte \d+, the file has 1000/,
    prepare: (folder) => truncate(path.join(folder, 'model', 'weights.bin'), 1000),
  },
  {
    what: 'missing preprocessing',
    job: spec({ model: { input: undefined } }),
    message:
      /error \[JobInvalid\] job\.yaml:\d+:\d+: spec\.model\.input: found no preset.*expected how its pixels were prepared/,
  },
  {
    what: 'a head that does not fit',
    job: spec({ model: { head: [{ dense: { units: 4 } }] } }),
    message:
      /error \[HeadMismatch\] job\.yaml:\d+:\d+: spec\.model\.head\[0\]: head\/dense \(Dense\): found an input of shape \[6,6,16\]; expected a vector\. Put globalAveragePooling or flatten before it/,
  },
  {
    what: 'a cut that is no layer',
    job: spec({ model: { cut: 'block3_convv' } }),
    message:
      /error \[JobInvalid\] job\.yaml:\d+:\d+: spec\.model\.cut: there is no layer "block3_convv"; there are for example block3_conv/,
  },
  {
    what: 'more trainers than shards',
    job: {},
    args: ['--trainers', '9'],
    message: /error \[JobInvalid\] --trainers: found 9 trainers for 8 shards; expected at most data\.shards/,
  },
  {
    what: 'no number of trainers',
    job: {},
    args: ['--trainers', '0'],
    message: /found "0"; expected a whole number from 1/,
  },
  {
    what: 'a folder with files of somebody else',
    job: {},
    message: /error \[OutputConflict\] .*out is not empty \(it holds "thesis\.txt"\) and no result of Thaw/,
    async prepare(folder) {
      await mkdir(path.join(folder, 'out'));
      await writeFile(path.join(folder, 'out', 'thesis.txt'), 'mine');
    },
  },
  {
    what: 'an output path through a file',
    job: {},
    args: ['--out', 'job.yaml/out'],
    message: /error \[StorageFailed\] .*job\.yaml\/out: a part of the path is a file, not a folder/,
  },
];

const needsEngine = await skipWithoutEngine();

describe('thaw run says what is wrong', { skip: needsEngine }, () => {
  let template = '';
  let folders = 0;

  before(async () => {
    template = await mkdtemp(path.join(tmpdir(), 'thaw-bad-'));
    await writeTinyJob(path.join(template, 'whole'));
  });
  after(() => rm(template, { recursive: true, force: true }));

  async function aFolder(job: Fields | string): Promise<string> {
    folders += 1;
    const folder = path.join(template, `case-${folders}`);
    await cp(path.join(template, 'whole'), folder, { recursive: true });
    await writeFile(path.join(folder, 'job.yaml'), typeof job === 'string' ? job : aTinyJob(job));
    return folder;
  }

  for (const { what, job, args = [], message, prepare } of cases) {
    it(what, async () => {
      const folder = await aFolder(job);
      await prepare?.(folder);
      const had = await listing(folder);
      const { status, stdout, stderr } = await runThaw(['run', 'job.yaml', ...args], { cwd: folder });
      assert.match(oneLine(stderr), message);
      assert.notEqual(status, 0);
      assert.equal(stdout, '');
      assert.deepEqual(await listing(folder), had, 'something was written');
    });
  }

  it('a job file that is not there', async () => {
    const { status, stderr } = await runThaw(['run', 'jbo.yaml'], { cwd: await aFolder({}) });
    assert.equal(status, 1);
    assert.match(stderr, /error \[SourceNotFound\] .*jbo\.yaml: there is no such file; expected a job file/);
  });

  it('a job file that is wrong, said to a program too', async () => {
    const folder = await aFolder('kind: {');
    const { status, stdout, stderr } = await runThaw(['run', 'job.yaml', '--json'], { cwd: folder });
    const { kind, outcome, code } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([status, stderr, kind, outcome, code], [1, '', 'runEnded', 'failed', 'JobInvalid']);
  });

  it('an unreadable and a truncated image are left out, counted and named', async () => {
    const folder = await aFolder(spec({ data: { maxBadSamples: 0.1 } }));
    await spoilImages(folder, 2);
    const { status, stdout, said } = await runThaw(['run', 'job.yaml'], { cwd: folder });
    assert.equal(status, 0, said);
    assert.match(stdout, /2 unreadable samples left out/);
    const report = JSON.parse(await readFile(resultFiles(path.join(folder, 'out')).report, 'utf8')) as Report;
    assert.equal(
      Object.values(report.badSamples.counts).reduce((sum, count) => sum + count, 0),
      2,
    );
    assert.deepEqual(report.badSamples.listed.map(({ id }) => id).sort(), ['circle/000.png', 'circle/001.png']);
  });

  it('too many of them end the run and are listed', async () => {
    const folder = await aFolder({});
    await spoilImages(folder, 12);
    const { status, stderr } = await runThaw(['run', 'job.yaml'], { cwd: folder });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /error \[TooManyBadSamples\] \d+ of \d+ train samples are unreadable; data\.maxBadSamples allows 1 %:\n\s+circle\/\d+\.png: /,
    );
    assert.match(stderr, /No model was written/);
  });

  it('a learning rate that makes NaN, with stage, step and tensor', async () => {
    const folder = await aFolder({
      spec: {
        train: {
          optimizer: { adam: undefined, sgd: { learningRate: 1e38 } },
          schedule: { stages: [{ name: 'hot', trainable: ['head/**'], epochs: 3 }] },
        },
      },
    });
    const { status, stdout, stderr } = await runThaw(['run', 'job.yaml', '--json'], { cwd: folder });
    assert.equal(status, 1);
    const failed = eventsOf(stdout).find(({ kind }) => kind === 'jobFailed');
    assert.equal(failed?.code, 'NonFinite', stderr);
    assert.match(String(failed?.message), /stage "hot", step \d+: .*head\/\S+ .*NaN or infini/);
    assert.deepEqual([failed?.stage, typeof failed?.step], [0, 'number']);
    assert.match(String(failed?.tensor), /^head\//);
  });

  it('an output folder that holds another job, or this one finished, or one that is running', async () => {
    const folder = await aFolder({});
    const run = (...args: string[]) => runThaw(['run', ...args], { cwd: folder });
    assert.equal((await run('job.yaml')).status, 0);
    assert.match(
      oneLine((await run('job.yaml')).stderr),
      /\[OutputConflict\] .*out holds the finished result of just this job.*--overwrite/,
    );
    await writeFile(
      path.join(folder, 'other.yaml'),
      aTinyJob({ metadata: { name: 'other' }, spec: { train: { seed: 8 } } }),
    );
    const other = await run('other.yaml');
    assert.match(oneLine(other.stderr), /\[OutputConflict\] .*out holds another job: found "tiny" .* expected "other"/);
    await access(resultFiles(path.join(folder, 'out')).report);
    await writeFile(path.join(folder, 'long.yaml'), aTinyJob(stage({ epochs: 100_000 })));
    const long = await startThaw(['run', 'long.yaml', '--overwrite', '--json'], { cwd: folder });
    await until(long, () => eventsOf(long.stdout()).find(({ kind }) => kind === 'epochEvaluated'));
    const second = await run('job.yaml', '--overwrite');
    assert.match(oneLine(second.stderr), /\[OutputConflict\] .*out is in use by another run of "tiny" \(process \d+\)/);
    long.kill('SIGINT');
    assert.equal((await long.ended).status, 130);
  });

  it('an output folder that may not be written', {
    skip: process.getuid?.() === 0 ? false : 'needs root, to run as somebody else',
  }, async () => {
    const folder = await aFolder({});
    await chmod(folder, 0o755);
    await chmod(template, 0o755);
    const { status, stderr } = await runThaw(['run', 'job.yaml'], { cwd: folder, user: 65534 });
    assert.equal(status, 1);
    assert.match(
      oneLine(stderr),
      /\[StorageFailed\] .*failed at .*out.*: permission denied; the user that runs thaw needs to be able to write there/,
    );
  });

  it('a disk that is full, and one that is read-only', async (context) => {
    const folder = await aFolder({});
    const disk = await mountSmallDisk(path.join(folder, 'disk'), 1);
    if (!disk) return context.skip('this user may not mount a tmpfs');
    try {
      await writeFile(path.join(folder, 'disk', 'ballast'), Buffer.alloc(900_000));
      const full = await runThaw(['run', 'job.yaml', '--out', 'disk/out'], { cwd: folder });
      assert.equal(full.status, 1);
      assert.match(
        oneLine(full.stderr),
        /error \[StorageFailed\] .*: no space is left on the device; free some and run again/,
      );
      await disk.makeReadOnly();
      const locked = await runThaw(['run', 'job.yaml', '--out', 'disk/new'], { cwd: folder });
      assert.equal(locked.status, 1);
      assert.match(oneLine(locked.stderr), /error \[StorageFailed\] .*the file system is read-only/);
    } finally {
      await disk.unmount();
    }
  });
});

/** The first is no image, the others end early. */
async function spoilImages(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const file = path.join(folder, 'images', 'circle', `${String(i).padStart(3, '0')}.png`);
    if (i === 0) await writeFile(file, 'not an image');
    else await truncate(file, 200);
  }
}

/** Everything in the folder, without what the test itself leaves there. */
async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => !name.startsWith('tmp-')).sort();
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
