import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capturedWorld } from '../testing/captured-world.ts';
import { lrFindCommand } from './lr-find.ts';

function lrFind(...args: string[]): Promise<unknown> {
  const command = lrFindCommand(capturedWorld({ cwd: '/', cacheDirectory: '/' }));
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  return command.parseAsync(['job.yaml', ...args], { from: 'user' });
}

describe('thaw lr-find refuses before it reads the job', () => {
  const cases: readonly [readonly string[], RegExp][] = [
    [['--from', '1', '--to', '0.1'], /'--to <rate>': found 0\.1; expected more than --from, 1/],
    [['--to', '1e-7'], /'--to <rate>': found 1e-7; expected more than --from, 1e-7/],
    [['--from', 'small'], /found "small"; expected a number above 0/],
    [['--from', '0'], /found "0"; expected a number above 0/],
    [['--to', 'Infinity'], /found "Infinity"; expected a number above 0/],
    [['--steps', '19'], /found "19"; expected a whole number from 20 to 10000/],
    [['--steps', '1e2'], /found "1e2"; expected a whole number from 20 to 10000/],
  ];
  for (const [args, message] of cases) it(args.join(' '), () => assert.rejects(lrFind(...args), message));

  it('and names a job file that is not there', () => assert.rejects(lrFind(), /job\.yaml: there is no such file/));
});
