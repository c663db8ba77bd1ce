// Runs a finished model on files, outside of a job, with the job's own decoding, executor and batch shape, so that a
// sample gets the bits that it got in training's evaluation. No augmentation, no dropout.

import { readFile } from 'node:fs/promises';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { evaluationParts } from '@thaw/common/data/evaluation-parts.ts';
import { type DataManifest, dataManifestVersion, type SampleColumns } from '@thaw/common/data/manifest.ts';
import { invariant } from '@thaw/common/errors/thaw-error.ts';
import { atTemperature } from '@thaw/common/evaluation/temperature.ts';
import type { Preprocessing } from '@thaw/common/job/resolved-job.ts';
import type { Graph } from '@thaw/common/model/graph.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import { programSource } from '../cache/program-source.ts';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import { BadImage, decodeImage } from '../data/decode-image.ts';
import { createPixelSource } from '../data/pixel-source.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { EngineClass, StageProgram } from '../engine/engine.ts';
import { evaluateParts } from '../train/evaluation.ts';
import type { InferenceModel, LabelledSamples, Notice, Prediction } from './messages.ts';

/** Features of samples that were decoded and not evaluated yet; what does not fit is computed again. */
const featureBytesMax = 256 * 1024 * 1024;

export interface ModelRunner {
  readonly engineClass: EngineClass;
  /** `files`: at most blockSize. A file that is no image is told apart, never thrown. */
  predict(files: readonly string[]): Promise<Prediction[]>;
  /** Throws SourceNotFound for a file that cannot be read, NonFinite when the model answers NaN. */
  evaluate(samples: LabelledSamples, tell: (notice: Notice) => void): Promise<Evaluated__Output>;
}

/** Throws SetupMissing, EngineUnavailable. One a process. */
export async function openModel(model: InferenceModel): Promise<ModelRunner> {
  const { graph, weights, preprocessing, temperature, classes, loss } = model;
  const engine = await createEngine({ kind: model.engine, threads: 1, gpus: 0 });
  const loaded = engine.loadModel(graph, weights, preprocessing);
  const trainable = outputWeights(graph);
  const program = loaded.stageProgram({ trainable, seed: 0, blockSize, microBatch: 1, classes, loss });
  return {
    engineClass: engine.engineClass,
    predict: (files) => predict(program, files, { preprocessing, temperature, classes }),
    evaluate: (samples, tell) => evaluate(program, samples, { preprocessing, classes, tell }),
  };
}

/** Where a program splits the network does not change its output; above the last weights the boundary is smallest. */
function outputWeights({ layers }: Graph): string[] {
  const last = layers.findLast(({ weights }) => weights.some(({ role }) => role === 'kernel'));
  invariant(last !== undefined, 'a classifier has a layer with a kernel');
  return last.weights.map(({ name }) => name);
}

async function predict(
  program: StageProgram,
  files: readonly string[],
  { preprocessing, temperature, classes }: Pick<InferenceModel, 'preprocessing' | 'temperature' | 'classes'>,
): Promise<Prediction[]> {
  invariant(files.length <= blockSize, `${files.length} files in a block of ${blockSize}`);
  const imageBytes = preprocessing.height * preprocessing.width * 3;
  const pixels = new Uint8Array(blockSize * imageBytes);
  const reasons = await Promise.all(
    files.map(async (file, row) => {
      try {
        pixels.set(await decodeImage(await readFile(file), preprocessing), row * imageBytes);
        return null;
      } catch (thrown) {
        return reasonOf(thrown);
      }
    }),
  );
  const readable = reasons.includes(null);
  const rows = readable ? program.probabilities(program.features(pixels)) : new Float32Array();
  return reasons.map((reason, row) =>
    reason === null
      ? { kind: 'predicted', probabilities: calibrated(rows.slice(row * classes, (row + 1) * classes), temperature) }
      : { kind: 'unreadable', reason },
  );
}

/** At 1 the very bits of the model. */
function calibrated(probabilities: Float32Array, temperature: number): Float32Array {
  return temperature === 1 ? probabilities : atTemperature(probabilities, temperature);
}

const fileReasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read (no permission)',
  EISDIR: 'is a folder',
};

/** Of bytes that are no image, or a file that cannot be read; anything else is a defect. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof BadImage) return `is no image that can be decoded: ${thrown.message}`;
  const { code, syscall, message } = thrown as NodeJS.ErrnoException;
  if (code === undefined || (syscall === undefined && !code.startsWith('ERR_FS'))) throw thrown;
  return fileReasons[code] ?? `cannot be read: ${message}`;
}

interface EvaluateOptions {
  readonly preprocessing: Preprocessing;
  readonly classes: number;
  readonly tell: (notice: Notice) => void;
}

async function evaluate(
  program: StageProgram,
  { ids, files, labels }: LabelledSamples,
  { preprocessing, classes, tell }: EvaluateOptions,
): Promise<Evaluated__Output> {
  const pixels = createPixelSource({
    manifest: manifestOf({ ids, paths: files, labels, byteLengths: [] }),
    root: '/',
    preprocessing,
    augment: [],
    seed: 0,
    blockSize,
    onBad(samples) {
      for (const { id, reason } of samples) tell({ kind: 'badSample', id, reason });
    },
  });
  const board = progressBoard(newBoardBuffer());
  const checkpoint = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    const phase = board.phase() === 'features' ? 'features' : 'evaluate';
    const total = board.get('total');
    tell({ kind: 'progress', phase, done: Math.min(board.get('done'), total), total });
  };
  const features = programSource({
    program,
    memoryBytes: featureBytesMax,
    blockSize,
    loadBlock: (refs) => pixels.loadBlock(refs),
    board,
    checkpoint,
  });
  const parts = new Map(evaluationParts(ids.length, blockSize).entries());
  return evaluateParts({
    set: 'test',
    parts,
    labels,
    classes,
    temperatures: [],
    blockSize,
    program,
    features,
    board,
    checkpoint,
  });
}

function manifestOf(test: SampleColumns): DataManifest {
  const none: SampleColumns = { ids: [], paths: [], labels: [], byteLengths: [] };
  return { version: dataManifestVersion, classes: [], sets: { train: none, validation: none, test }, digest: '' };
}
