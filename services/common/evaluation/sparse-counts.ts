// Counts of numbered cells of which few occur, as they cross processes: the cells that occur, rising, and how often.
// A confusion matrix of a thousand classes has a million cells and never more than its samples that are not zero.

export interface SparseCounts {
  /** Rising, each once. */
  readonly cells: readonly number[];
  /** Of the cell at the same place; never 0. */
  readonly counts: readonly number[];
}

/** Counts that nobody else holds yet, as messages want them. */
type OwnCounts = { cells: number[]; counts: number[] };

/** Adds up by cell; any order of `all` gives the same. */
export function addSparse(all: readonly SparseCounts[]): OwnCounts {
  return all.reduce<OwnCounts>(merged, { cells: [], counts: [] });
}

/** Both have their cells rising, so that one walk over them will do. */
function merged(a: SparseCounts, b: SparseCounts): OwnCounts {
  const sum: OwnCounts = { cells: [], counts: [] };
  const end = Number.POSITIVE_INFINITY;
  let [i, j] = [0, 0];
  while (i < a.cells.length || j < b.cells.length) {
    const [ofA, ofB] = [a.cells[i] ?? end, b.cells[j] ?? end];
    sum.cells.push(Math.min(ofA, ofB));
    sum.counts.push((ofA <= ofB ? (a.counts[i++] as number) : 0) + (ofB <= ofA ? (b.counts[j++] as number) : 0));
  }
  return sum;
}

export function sparseOfMap(sums: ReadonlyMap<number, number>): OwnCounts {
  const cells = [...sums.keys()].sort((a, b) => a - b);
  return { cells, counts: cells.map((cell) => sums.get(cell) as number) };
}

export function sparseOf(dense: ArrayLike<number>): OwnCounts {
  const cells: number[] = [];
  const counts: number[] = [];
  for (let cell = 0; cell < dense.length; cell++) {
    const count = dense[cell] as number;
    if (count === 0) continue;
    cells.push(cell);
    counts.push(count);
  }
  return { cells, counts };
}

export function denseOf({ cells, counts }: SparseCounts, size: number): Float64Array {
  const dense = new Float64Array(size);
  for (const [i, cell] of cells.entries()) dense[cell] = counts[i] as number;
  return dense;
}

/** The matrix of `size` columns, row by row; the callers that show it keep it small. */
export function matrixOf(counts: SparseCounts, size: number): number[][] {
  const dense = denseOf(counts, size * size);
  return Array.from({ length: size }, (_, row) => [...dense.subarray(row * size, (row + 1) * size)]);
}

export function totalOf({ counts }: SparseCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What is wrong with counts that came from elsewhere, in words; null when they are counts of `size` cells. */
export function sparseProblem({ cells, counts }: SparseCounts, size: number): string | null {
  if (cells.length !== counts.length) return `${cells.length} cells and ${counts.length} counts; expected as many`;
  for (const [i, cell] of cells.entries()) {
    if (cell >= size) return `cell ${cell}; expected cells below ${size}`;
    if (i > 0 && cell <= (cells[i - 1] as number))
      return `cell ${cell} after cell ${cells[i - 1]}; expected them rising`;
    if (counts[i] === 0) return `no count in cell ${cell}; expected only cells that occur`;
  }
  return null;
}
