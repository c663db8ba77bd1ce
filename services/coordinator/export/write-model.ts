// Writes OUT/model: the graph, and the model in each format that the job wants. Every file is whole or not there.

import path from 'node:path';
import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import type { Weights } from '@thaw/common/model/graph.ts';
import { headInput } from '@thaw/common/model/head.ts';
import { kerasName, weightsFileName, writeLayersModel } from '@thaw/common/model/write-layers-model.ts';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { writeFileBy, writeFileWhole, writeJsonWhole } from '../adapters/write-file.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { writeKerasArchive } from './keras/write-archive.ts';
import { writeKerasH5 } from './keras/write-h5.ts';
import { resultFiles } from './result-files.ts';

export interface FinalModel {
  readonly weights: Weights;
  readonly weightsDigest: string;
  /** Wall clock, milliseconds. */
  readonly endedAt: number;
}

const doing = 'writing the model';

export async function writeModel(
  out: string,
  { job, graph, manifest }: PreparedJob,
  { weights, weightsDigest, endedAt }: FinalModel,
): Promise<void> {
  const files = resultFiles(out);
  const metadata = {
    labels: manifest.classes,
    preprocessing: job.model.preprocessing,
    cut: kerasName(headInput(graph)),
    weightsDigest,
  };
  const content = { graph, weights, metadata };
  await writeJsonWhole(files.graph, graph, doing);
  for (const format of new Set(job.output.formats)) {
    switch (format) {
      case 'tfjs': {
        const { modelJson, weightData } = writeLayersModel(graph, weights, metadata);
        await writeFileWhole(path.join(files.modelFolder, weightsFileName), weightData, doing);
        await writeJsonWhole(files.modelJson, modelJson, doing);
        break;
      }
      case 'safetensors': {
        const texts = Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)]);
        await writeFileWhole(files.safetensors, writeSafetensors(weights, Object.fromEntries(texts)), doing);
        break;
      }
      case 'h5':
        await writeFileBy(files.kerasH5, doing, (temporary) => writeKerasH5(temporary, content));
        break;
      case 'keras':
        await writeFileBy(files.kerasArchive, doing, (temporary) =>
          writeKerasArchive(temporary, content, new Date(endedAt)),
        );
        break;
      default:
        assertNever(format, 'format');
    }
  }
}
