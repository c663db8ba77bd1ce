// Writes the result into OUT: the model in the wanted formats, labels, preprocessing, a model card, and last, because
// its presence says that all is there, the report. Needs no TensorFlow.

import type { Clock } from '@thaw/common/clock/clock.ts';
import { type StoredCalibration, storedCalibrationVersion } from '@thaw/common/evaluation/stored-calibration.ts';
import type { BlobStore } from '../adapters/blob-store.ts';
import { writeFileWhole, writeJsonWhole } from '../adapters/write-file.ts';
import { chosenWeights } from '../core/standing.ts';
import type { SplitCheck } from '../near-duplicates/split-check.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { buildReport } from '../report/build-report.ts';
import { modelCard } from '../report/model-card.ts';
import { makeReportPage } from '../report/page/make-report-page.ts';
import type { ResultExporter } from '../runtime/ports.ts';
import { finalWeights, weightsDigest } from './final-weights.ts';
import { resultFiles } from './result-files.ts';
import { writeModel } from './write-model.ts';

export interface ExportOptions {
  readonly out: string;
  readonly prepared: PreparedJob;
  readonly blobs: BlobStore;
  readonly clock: Pick<Clock, 'wall'>;
  /** Absent where nobody looks. */
  readonly splitCheck?: Promise<SplitCheck>;
}

export function resultExporter({ out, prepared, blobs, clock, splitCheck }: ExportOptions): ResultExporter {
  return {
    async export(state) {
      const { digest } = chosenWeights(state).stored;
      const weights = finalWeights(prepared.graph, prepared.weights, await blobs.read(digest), `state ${digest}`);
      const facts = {
        weightsDigest: weightsDigest(weights),
        dataDigest: prepared.manifest.digest,
        modelDigest: prepared.modelDigest,
        seed: prepared.job.train.seed,
        loss: prepared.job.train.loss,
        testIds: prepared.manifest.sets.test.ids,
        ...(splitCheck && { nearDuplicates: await splitCheck }),
        endedAt: clock.wall(),
      };
      const report = buildReport(state, facts);
      await writeModel(out, prepared, { ...facts, weights });
      const files = resultFiles(out);
      await writeJsonWhole(files.labels, prepared.manifest.classes, 'writing the labels');
      await writeJsonWhole(files.preprocessing, prepared.job.model.preprocessing, 'writing the preprocessing');
      if (state.calibration) {
        const stored: StoredCalibration = { version: storedCalibrationVersion, ...state.calibration };
        await writeJsonWhole(files.calibration, stored, 'writing the calibration');
      }
      await writeFileWhole(files.card, modelCard(prepared.job, report, prepared.origin), 'writing the model card');
      const page = await makeReportPage({ report, ...prepared, eventsFile: files.events, endedAt: facts.endedAt });
      await writeFileWhole(files.page, page, 'writing the report as a page');
      await writeJsonWhole(files.report, report, 'writing the report');
      return { weightsDigest: facts.weightsDigest };
    },
  };
}
