// Starts a worker thread from a source file. Loader hooks given by `--import tsx` do not reach worker threads on Node 20,
// so a .ts file is imported from a line of code that registers them first; a built .js file needs none of it.

import { Worker, type WorkerOptions } from 'node:worker_threads';

export function startThread(file: URL, options: Omit<WorkerOptions, 'eval'> = {}): Worker {
  if (!file.pathname.endsWith('.ts')) return new Worker(file, options);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const start = `import(${loader}).then(({ register }) => { register(); return import(${JSON.stringify(file.href)}); });`;
  return new Worker(start, { ...options, eval: true });
}
