// The command line. Reads the environment, registers the commands, prints what they throw, and ends with their status:
// 0 done, 1 failed, 2 not understood, 130 stopped by the user.

import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import { s3Environment } from '@thaw/common/environment/s3-environment.ts';
import { Command, CommanderError } from 'commander';
import { keepOnWithoutReader } from './closed-output.ts';
import { cacheCommand } from './commands/cache.ts';
import { cancelCommand } from './commands/cancel.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { logsCommand } from './commands/logs.ts';
import { lrFindCommand } from './commands/lr-find.ts';
import { modelCommand } from './commands/model.ts';
import { planCommand } from './commands/plan.ts';
import { predictCommand } from './commands/predict.ts';
import { runCommand } from './commands/run.ts';
import { scaleCommand } from './commands/scale.ts';
import { schemaCommand } from './commands/schema.ts';
import { statusCommand } from './commands/status.ts';
import { validateCommand } from './commands/validate.ts';
import { errorText } from './error-text.ts';
import { version } from './version.ts';
import type { World } from './world.ts';

const failed = 1;
const misunderstood = 2;

let status = 0;
const world: World = {
  env: process.env,
  cwd: process.cwd(),
  command: process.env.THAW_COMMAND ?? 'thaw',
  cacheDirectory: cacheDirectory(process.env),
  s3: s3Environment(process.env),
  stdout: process.stdout,
  stderr: process.stderr,
  exitWith(wanted) {
    status ||= wanted;
  },
};

for (const output of [process.stdout, process.stderr]) keepOnWithoutReader(output, endWithError);
process.on('uncaughtException', endWithError);

function endWithError(thrown: unknown): void {
  process.stderr.write(errorText(thrown));
  process.exit(failed);
}

const program = new Command('thaw')
  .description('fine-tunes pretrained models in stages, on one machine or a cluster')
  .version(version)
  .showHelpAfterError('(see thaw --help)')
  .exitOverride();
for (const command of [
  runCommand,
  statusCommand,
  scaleCommand,
  cancelCommand,
  logsCommand,
  validateCommand,
  planCommand,
  lrFindCommand,
  schemaCommand,
  predictCommand,
  evaluateCommand,
  modelCommand,
  cacheCommand,
  doctorCommand,
]) {
  const added = command(world);
  for (const one of [added, ...added.commands]) one.exitOverride().showHelpAfterError();
  program.addCommand(added);
}

try {
  await program.parseAsync(process.argv);
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    world.exitWith(thrown.exitCode === 0 ? 0 : misunderstood);
  } else {
    process.stderr.write(errorText(thrown));
    world.exitWith(failed);
  }
}
// Output to a pipe may still be on its way; an open handle of a library must not keep the command.
process.exitCode = status;
setTimeout(() => process.exit(), 1000).unref();
