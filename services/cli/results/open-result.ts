// Opens what a finished run left in OUT, for predict and evaluate: every file is parsed and checked against the others
// once, here, so that nothing wrong is computed with afterwards. What is wrong is said with the file's name.

import { access, readdir } from 'node:fs/promises';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { storedCalibrationSchema, storedCalibrationVersion } from '@thaw/common/evaluation/stored-calibration.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { Loss, Preprocessing } from '@thaw/common/job/resolved-job.ts';
import { storedPreprocessingSchema } from '@thaw/common/job/stored-preprocessing.ts';
import type { Graph, Weights } from '@thaw/common/model/graph.ts';
import { weightsDigest } from '@thaw/coordinator/export/final-weights.ts';
import { readMark } from '@thaw/coordinator/export/output-folder.ts';
import { type ResultFiles, resultFiles } from '@thaw/coordinator/export/result-files.ts';
import { z } from 'zod';
import { readGraph } from './read-graph.ts';
import { readJsonFile, readVersionedFile } from './read-json-file.ts';
import { readWeights } from './read-weights.ts';

/** Of report.json. */
const reportVersion = 1;

export interface Result {
  readonly name: string;
  readonly graph: Graph;
  readonly weights: Weights;
  /** Class names, in the order of the model's outputs. */
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
  /** What `thaw evaluate` measures, as the run did. */
  readonly loss: Loss;
  /** Of a calibrated model; 1 otherwise. */
  readonly temperature: number;
}

const labelSmoothing = z.number();
const lossSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('crossEntropy'), labelSmoothing }),
  z.object({ kind: z.literal('binaryCrossEntropy'), labelSmoothing }),
  z.object({ kind: z.literal('focal'), gamma: z.number(), alpha: z.number(), labelSmoothing }),
  z.object({ kind: z.literal('mse') }),
  z.object({ kind: z.literal('mae') }),
  z.object({ kind: z.literal('huber'), delta: z.number() }),
]);
/** Runs that knew one loss only do not name it. */
const reportSchema = z.object({
  name: z.string(),
  weightsDigest: z.string(),
  loss: lossSchema.default(plainCrossEntropy),
});
const labelsSchema = z.array(z.string()).min(2);

/** `out`: absolute. Throws SourceNotFound, VersionUnknown or ModelInvalid. */
export async function openResult(out: string): Promise<Result> {
  const files = resultFiles(out);
  await requireFinished(out, files);
  const report = await readVersionedFile(files.report, { schema: reportSchema, version: reportVersion });
  const labels = await readJsonFile(files.labels, labelsSchema);
  const preprocessing = await readJsonFile(files.preprocessing, storedPreprocessingSchema);
  const temperature = await readTemperature(files.calibration);
  const graph = await readGraph(files.graph);
  requireFit({ files, graph, labels, preprocessing });
  const { weights, file } = await readWeights(files, graph);
  const found = weightsDigest(weights);
  const { name, loss } = report;
  if (found === report.weightsDigest) return { name, graph, weights, labels, preprocessing, temperature, loss };
  throw new ThawError(
    'ModelInvalid',
    `${file}: found weights of digest ${found}; expected ${report.weightsDigest} (weightsDigest in ${files.report}). ` +
      'The file was changed, or belongs to another run',
  );
}

async function readTemperature(file: string): Promise<number> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return 1;
  const { temperature } = await readVersionedFile(file, {
    schema: storedCalibrationSchema,
    version: storedCalibrationVersion,
  });
  return temperature;
}

/** The report is written last, so its presence says that everything is there. */
async function requireFinished(out: string, files: ResultFiles): Promise<void> {
  const entries = await readdir(out).catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOTDIR' ? 'is no folder' : cause.code === 'ENOENT' ? 'does not exist' : cause.message;
    throw new ThawError('SourceNotFound', `${out}: ${what}; expected the output folder of a finished \`thaw run\``, {
      cause,
    });
  });
  if (entries.includes('report.json')) return;
  const mark = await readMark(files.jobMark);
  const isUnfinished = mark !== null && mark.state !== 'Succeeded';
  const found = isUnfinished ? `a run of "${mark.name}" that is not finished (${mark.state})` : 'no report.json';
  const advice = isUnfinished ? '; wait for it, or run the job again' : '';
  throw new ThawError(
    'SourceNotFound',
    `${out}: found ${found}; expected the output folder of a finished \`thaw run\`${advice}`,
  );
}

interface Fit {
  readonly files: ResultFiles;
  readonly graph: Graph;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
}

function requireFit({ files, graph, labels, preprocessing: { height, width } }: Fit): void {
  const shapeOf = (path: string): string => `[${graph.layers.find((layer) => layer.path === path)?.outputShape}]`;
  if (shapeOf(graph.output) !== `[${labels.length}]`) {
    throw mismatch(
      files.labels,
      `${labels.length} classes`,
      `as many as ${files.graph} has outputs: ${shapeOf(graph.output)}`,
    );
  }
  if (shapeOf(graph.input) !== `[${[height, width, 3]}]`) {
    throw mismatch(files.preprocessing, `${height} x ${width}`, `the input of ${files.graph}: ${shapeOf(graph.input)}`);
  }
}

function mismatch(file: string, found: string, expected: string): ThawError {
  return new ThawError('ModelInvalid', `${file}: found ${found}; expected ${expected}`);
}
