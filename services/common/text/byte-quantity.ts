// Numbers of bytes as Kubernetes writes them: 20Gi, 512Mi, 1.5G, 1000.

import { invariant } from '../errors/thaw-error.ts';

export const byteQuantityPattern = /^(\d{1,15}(?:\.\d{1,15})?)(Ki|Mi|Gi|Ti|k|M|G|T)?$/;

const unitBytes: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
};

/** Whole bytes. `text` fits the pattern. */
export function bytesOfQuantity(text: string): number {
  const parts = byteQuantityPattern.exec(text);
  invariant(parts !== null, `"${text}" is no number of bytes`);
  const [, amount = '', unit = ''] = parts;
  return Math.floor(Number(amount) * (unitBytes[unit] ?? 1));
}
