// What a finished run leaves in OUT, by name. `thaw predict` and `thaw evaluate` read these, people may too.

import path from 'node:path';

export interface ResultFiles {
  readonly modelFolder: string;
  /** tfjs layers-model; its weights lie beside it. */
  readonly modelJson: string;
  readonly safetensors: string;
  /** Keras' older whole-model file. */
  readonly kerasH5: string;
  /** Keras 3's archive. */
  readonly kerasArchive: string;
  /** The network as Thaw reads it, with the names that safetensors uses. */
  readonly graph: string;
  readonly labels: string;
  readonly preprocessing: string;
  /** The temperature of predictions; only of a calibrated model. */
  readonly calibration: string;
  readonly card: string;
  readonly report: string;
  /** The report as a page for a browser. */
  readonly page: string;
  readonly events: string;
  /** Folder with one log for each process. */
  readonly logs: string;
  /** Thaw's own: which job this folder belongs to, blobs, and the broker's files. */
  readonly jobMark: string;
  /** Where the coordinator listens, as long as it does. */
  readonly coordinator: string;
  /** The job as it was given, for a run that is taken up again. */
  readonly givenJob: string;
  readonly blobs: string;
  readonly broker: string;
}

export function resultFiles(out: string): ResultFiles {
  const modelFolder = path.join(out, 'model');
  return {
    modelFolder,
    modelJson: path.join(modelFolder, 'model.json'),
    safetensors: path.join(modelFolder, 'model.safetensors'),
    kerasH5: path.join(modelFolder, 'model.h5'),
    kerasArchive: path.join(modelFolder, 'model.keras'),
    graph: path.join(modelFolder, 'graph.json'),
    labels: path.join(out, 'labels.json'),
    preprocessing: path.join(out, 'preprocessing.json'),
    calibration: path.join(out, 'calibration.json'),
    card: path.join(out, 'README.md'),
    report: path.join(out, 'report.json'),
    page: path.join(out, 'report.html'),
    events: path.join(out, 'events.jsonl'),
    logs: path.join(out, 'logs'),
    jobMark: path.join(out, '.thaw', 'job.json'),
    coordinator: path.join(out, '.thaw', 'coordinator.json'),
    givenJob: path.join(out, '.thaw', 'given-job.json'),
    blobs: path.join(out, '.thaw', 'blobs'),
    broker: path.join(out, '.thaw', 'broker'),
  };
}
