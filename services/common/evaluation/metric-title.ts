// What people read where a job file says loss, accuracy, macroF1 or auc.

import type { Metric } from '../job/resolved-job.ts';

export const metricTitles: Readonly<Record<Metric, string>> = {
  loss: 'loss',
  accuracy: 'accuracy',
  macroF1: 'macro-F1',
  auc: 'AUC',
};
