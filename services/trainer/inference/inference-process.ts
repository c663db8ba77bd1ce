// Starts an inference process and asks it. What the TensorFlow library says on stderr is kept back, and shown only when
// the process ends by itself.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withoutS3 } from '@thaw/common/environment/s3-environment.ts';
import { errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { EngineKind } from '@thaw/common/job/resolved-job.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import type { EngineClass } from '../engine/engine.ts';
import type {
  FromInference,
  InferenceModel,
  LabelledSamples,
  Notice,
  Prediction,
  Reply,
  ToInference,
} from './messages.ts';
import type { RangeResult, RangeSubject } from './range-test.ts';

const stderrCharactersMax = 4000;
const linesShown = 3;

export interface Inference {
  readonly engineClass: EngineClass;
  /** `files`: absolute, at most blockSize. */
  predict(files: readonly string[]): Promise<readonly Prediction[]>;
  evaluate(samples: LabelledSamples, tell: (notice: Notice) => void): Promise<Evaluated__Output>;
}

export interface EngineDescription {
  readonly engineClass: EngineClass;
  /** TensorFlow's library says so itself while it loads. */
  readonly oneDnn: boolean;
}

/** Gives the opened model to `work`, and ends the process after it whatever happens. Throws what the process throws. */
export function withInference<T>(
  model: InferenceModel,
  env: NodeJS.ProcessEnv,
  work: (inference: Inference) => Promise<T>,
): Promise<T> {
  return withProcess(env, async ({ ask }) => {
    const { engineClass } = await ask({ kind: 'open', model }, 'opened');
    return work({
      engineClass,
      predict: async (files) => (await ask({ kind: 'predict', files }, 'predicted')).predictions,
      evaluate: async (samples, tell) => (await ask({ kind: 'evaluate', samples }, 'evaluated', tell)).evaluated,
    });
  });
}

/** Throws SetupMissing or EngineUnavailable. */
export function describeEngine(engine: EngineKind, env: NodeJS.ProcessEnv): Promise<EngineDescription> {
  return withProcess(env, async ({ ask, stderr }) => {
    const { engineClass } = await ask({ kind: 'describe', engine }, 'described');
    return { engineClass, oneDnn: /oneDNN custom operations are on/.test(stderr()) };
  });
}

/** Trains in a process of its own, which is ended whatever happens. Throws what a trainer throws. */
export function testRange(
  subject: RangeSubject,
  env: NodeJS.ProcessEnv,
  tell: (notice: Notice) => void,
): Promise<RangeResult> {
  return withProcess(env, async ({ ask }) => {
    const { result } = await ask({ kind: 'testRange', subject }, 'rangeTested', tell);
    return result;
  });
}

interface Asker {
  ask<Kind extends Reply['kind']>(
    request: ToInference,
    expected: Kind,
    tell?: (notice: Notice) => void,
  ): Promise<Extract<Reply, { readonly kind: Kind }>>;
  stderr(): string;
}

async function withProcess<T>(env: NodeJS.ProcessEnv, work: (asker: Asker) => Promise<T>): Promise<T> {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), {
    env: withoutS3(env),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    return await work(asker(child));
  } finally {
    child.kill('SIGKILL'); // it holds nothing that would be lost
    await closed;
  }
}

function asker(child: ChildProcess): Asker {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrCharactersMax);
  });
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', (cause) =>
      reject(new ThawError('EngineUnavailable', `no process: ${cause.message}`, { cause })),
    );
    child.once('close', (code, signal) => reject(endOf({ code, signal, stderr })));
  });
  ended.catch(() => undefined);
  return {
    stderr: () => stderr,
    async ask(request, expected, tell) {
      const reply = await Promise.race([replyOf(child, request, tell), ended]);
      invariant(reply.kind === expected, `asked ${request.kind}, answered ${reply.kind}`);
      return reply as Extract<Reply, { readonly kind: typeof expected }>;
    },
  };
}

function replyOf(child: ChildProcess, request: ToInference, tell?: (notice: Notice) => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const receive = (message: FromInference): void => {
      if (message.kind === 'notice') {
        tell?.(message.notice);
        return;
      }
      child.off('message', receive);
      if (message.kind === 'reply') resolve(message.reply);
      else reject(new ThawError(errorCodeOf(message.code), message.message));
    };
    child.on('message', receive);
    child.send(request, () => undefined); // what cannot be sent has no receiver any more: its end says why
  });
}

function endOf({ code, signal, stderr }: { code: number | null; signal: string | null; stderr: string }): ThawError {
  const lines = stderr.trim().split('\n').slice(-linesShown).join(' / ');
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  const why = signal === 'SIGILL' ? ' (this processor lacks instructions that the TensorFlow library needs)' : '';
  const kind = signal === 'SIGKILL' ? 'OutOfMemory' : 'EngineUnavailable';
  return new ThawError(kind, `the process that runs the model ${how}${why}${lines ? `: ${lines}` : ''}`);
}
