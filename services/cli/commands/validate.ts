// `thaw validate JOB`: everything that can be found wrong with a job before it starts, and its digest when nothing is.
// Starts nothing and writes no result; what is wrong is thrown, with file, line and column.

import path from 'node:path';
import type { Digest } from '@thaw/common/content/digest.ts';
import { parseJobFile } from '@thaw/common/job/parse.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { Command } from 'commander';
import type { World } from '../world.ts';
import { readJobText } from './options.ts';
import { prepareFile } from './prepare-file.ts';

interface ValidateOptions {
  readonly syntax: boolean;
  readonly json: boolean;
}

/** What a valid job is; the file alone tells name and task only. */
interface Summary {
  readonly name: string;
  readonly task: string;
  readonly classes?: readonly string[];
  readonly samples?: PreparedJob['plan']['samples'];
  readonly stages?: readonly string[];
  readonly jobDigest?: Digest;
  readonly warnings?: readonly string[];
}

export function validateCommand(world: World): Command {
  return new Command('validate')
    .description('check a job file with its model and its data, without starting anything')
    .argument('<job>', 'job file (YAML)')
    .option('--syntax', 'check the file alone: open neither model nor data', false)
    .option('--json', 'as JSON', false)
    .action(async (job: string, options: ValidateOptions) => {
      const summary = options.syntax
        ? syntaxSummary(await readJobText(path.resolve(world.cwd, job)), job)
        : fullSummary(await prepareFile(world, job));
      const json = { file: job, valid: true, ...summary };
      world.stdout.write(options.json ? `${JSON.stringify(json, null, 2)}\n` : `${job}: valid: ${printed(summary)}\n`);
    });
}

function syntaxSummary(jobText: string, fileName: string): Summary {
  const { metadata, spec } = parseJobFile(jobText, fileName).job;
  return { name: metadata.name, task: spec.task };
}

function fullSummary({ job, jobDigest, plan }: PreparedJob): Summary {
  const { classes, samples, stages, warnings = [] } = plan;
  const names = stages.map(({ name }) => name);
  return { name: job.name, task: job.task, classes, samples, stages: names, jobDigest, warnings };
}

function printed({ name, task, classes, samples, stages, jobDigest, warnings = [] }: Summary): string {
  if (!classes || !samples || !stages || !jobDigest) return `${name}, ${task}; model and data were not opened`;
  const { train, validation, test } = samples;
  const parts = [
    name,
    task,
    `${classes.length} classes`,
    `${train} train / ${validation} validation / ${test} test samples`,
    `${stages.length === 1 ? '1 stage' : `${stages.length} stages`} (${stages.join(', ')})`,
    jobDigest,
  ];
  return [parts.join(', '), ...warnings.map((warning) => `warning: ${warning}`)].join('\n');
}
