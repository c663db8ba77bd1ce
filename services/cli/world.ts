// What main.ts found out about the outside, once, for every command: nothing else in the command line reads the
// environment or ends the process.

import type { S3Environment } from '@thaw/common/environment/s3-environment.ts';

export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** How this program was called, for commands that it suggests: `./thaw`. */
  readonly command: string;
  /** What can be made or fetched again. */
  readonly cacheDirectory: string;
  /** Who asks for s3: sources, and where. */
  readonly s3: S3Environment;
  /** The result of a command: what a pipe gets. */
  readonly stdout: NodeJS.WriteStream;
  /** Progress, warnings and errors. */
  readonly stderr: NodeJS.WriteStream;
  /** Ends the process with this status once the command is through; the first one other than 0 counts. */
  exitWith(status: number): void;
}
