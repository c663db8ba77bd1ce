// The collective's loops, from WebAssembly's text to the bytes that are instantiated, as base64 in a module.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import wabt from 'wabt';

const folder = 'services/trainer/collective/core';

/** The generated module, by its path from the root of the repository. */
export async function vectorKernels(root: string): Promise<[string, string]> {
  const name = `${folder}/vector-kernels.wat`;
  const features = { simd: true };
  const { parseWat } = await wabt();
  const parsed = parseWat(name, await readFile(path.join(root, name), 'utf8'), features);
  try {
    parsed.validate();
    const { buffer } = parsed.toBinary({});
    const text = Buffer.from(buffer).toString('base64');
    const header = `// ${name}, compiled by \`npm run generate\`.\n\n`;
    return [`${folder}/gen/vector-kernels.ts`, `${header}export const vectorKernelsBase64 =\n  '${text}';\n`];
  } finally {
    parsed.destroy();
  }
}
