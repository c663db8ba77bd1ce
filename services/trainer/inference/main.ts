// The inference process: holds one model and answers one request after the other, until its parent hangs up; it also
// trains for a range test. A process of its own, because the TensorFlow library writes to stderr as it likes and takes
// down whoever loads it when it dies.

import { invariant, toThawError } from '@thaw/common/errors/thaw-error.ts';
import { describeEngine } from './describe-engine.ts';
import type { FromInference, Notice, Reply, ToInference } from './messages.ts';
import { type ModelRunner, openModel } from './model-runner.ts';
import { runRangeTest } from './range-test.ts';

let runner: ModelRunner | null = null;

function opened(): ModelRunner {
  invariant(runner !== null, 'a model is opened first');
  return runner;
}

function tell(notice: Notice): void {
  send({ kind: 'notice', notice });
}

async function answer(request: ToInference): Promise<Reply> {
  switch (request.kind) {
    case 'describe':
      return { kind: 'described', engineClass: await describeEngine(request.engine) };
    case 'open':
      runner = await openModel(request.model);
      return { kind: 'opened', engineClass: runner.engineClass };
    case 'predict':
      return { kind: 'predicted', predictions: await opened().predict(request.files) };
    case 'evaluate':
      return { kind: 'evaluated', evaluated: await opened().evaluate(request.samples, tell) };
    case 'testRange':
      return { kind: 'rangeTested', result: await runRangeTest(request.subject, tell) };
  }
}

function send(message: FromInference): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit(0));
process.on('message', (request: ToInference) => {
  answer(request).then(
    (reply) => send({ kind: 'reply', reply }),
    (thrown: unknown) => {
      const { code, message } = toThawError(thrown);
      send({ kind: 'failed', code, message });
    },
  );
});
