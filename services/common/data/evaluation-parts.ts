// The fixed, numbered parts that a set is evaluated in. They belong to the job: a part's rows, and so its sums, are the
// same whoever computes it. A part is whole blocks, so that no block is computed for two owners.

const partsMax = 64;

export function evaluationPartCount(samples: number, blockSize: number): number {
  return Math.min(partsMax, Math.ceil(samples / blockSize));
}

/** rows[part] = rows of the set, in order. */
export function evaluationParts(samples: number, blockSize: number): number[][] {
  const parts = evaluationPartCount(samples, blockSize);
  const blocks = Math.ceil(samples / blockSize);
  const start = (part: number): number => Math.min(samples, Math.floor((blocks * part) / parts) * blockSize);
  return Array.from({ length: parts }, (_, part) =>
    Array.from({ length: start(part + 1) - start(part) }, (_unused, i) => start(part) + i),
  );
}

/** owners[part] = member: contiguous runs, loads differing by at most one. Part results do not depend on their owner. */
export function assignParts(parts: number, members: number): number[] {
  return Array.from({ length: parts }, (_, part) => Math.floor((part * members) / parts));
}

/** Rows by part, of the parts that one member owns. */
export function partsOwnedBy(member: number, owners: readonly number[], parts: number[][]): Map<number, number[]> {
  return new Map([...parts.entries()].filter(([part]) => owners[part] === member));
}
