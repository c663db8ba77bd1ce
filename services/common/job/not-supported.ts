// What a job file may say already and Thaw does not do yet. Each is refused by name: nothing is ignored.

import type { Problem } from './problems.ts';
import type { JobFile } from './schema/job.ts';

export function notSupported({ spec }: JobFile): Problem[] {
  const { task, data, output } = spec;
  const problems: Problem[] = [];
  const refuse = (condition: boolean, path: string, what: string): void => {
    if (condition) problems.push({ path: ['spec', ...path.split('.')], message: `${what} is not supported yet` });
  };
  refuse(task !== 'imageClassification', 'task', `task ${task}`);
  const isElsewhere = (source: string): boolean => /^(builtin|s3|https?):/.test(source);
  refuse(isElsewhere(data.source), 'data.source', `source ${data.source}`);
  for (const [set, source] of Object.entries(data.split.folders ?? {}))
    refuse(isElsewhere(source), `data.split.folders.${set}`, `source ${source}`);
  const { format } = data;
  refuse(format === 'jsonl' || format === 'kinetics' || format === 'webdataset', 'data.format', `format ${format}`);
  refuse(output.uri !== undefined && !output.uri.startsWith('file:'), 'output.uri', `output ${output.uri}`);
  const { retention } = spec;
  refuse(retention !== undefined && isElsewhere(retention.source), 'retention.source', `source ${retention?.source}`);
  return problems;
}
