// Writes every generated file again, or with --check says which are stale: the custom resource definition and the
// job-file reference from the zod schema, the message types from the .proto files, the collective's loops from their
// WebAssembly text. Prints nothing when all are fresh.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { customResourceYaml } from '@thaw/common/job/generate/custom-resource.ts';
import { referencePage } from '@thaw/common/job/generate/reference-page.ts';
import { messageTypes } from './generate/message-types.ts';
import { type GeneratedFiles, staleFiles } from './generate/stale-files.ts';
import { vectorKernels } from './generate/vector-kernels.ts';
import { repositoryRoot } from './setup/locations.mjs';

async function generated(): Promise<GeneratedFiles> {
  return {
    texts: new Map([
      ['deploy/k8s/base/finetunejobs.crd.yaml', customResourceYaml()],
      ['docs/job-file.md', referencePage()],
      ...(await messageTypes(repositoryRoot)),
      await vectorKernels(repositoryRoot),
    ]),
    folders: ['proto/gen', 'services/trainer/collective/core/gen'],
  };
}

async function write(root: string, stale: readonly string[], { texts }: GeneratedFiles): Promise<void> {
  for (const name of stale) {
    const file = path.join(root, name);
    const text = texts.get(name);
    if (text === undefined) {
      await rm(file);
      continue;
    }
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

const isCheck = process.argv.includes('--check');
const files = await generated();
const stale = await staleFiles(repositoryRoot, files);
if (isCheck) {
  for (const { name, why } of stale) process.stderr.write(`${name}: ${why}; run \`npm run generate\`\n`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  await write(
    repositoryRoot,
    stale.map(({ name }) => name),
    files,
  );
  for (const { name } of stale) process.stderr.write(`generated ${name}\n`);
}
