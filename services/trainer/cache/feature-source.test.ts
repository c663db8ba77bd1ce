import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import type { StageProgram } from '../engine/engine.ts';
import { featureSource } from './feature-source.ts';
import { featureStore, type SampleRef } from './feature-store.ts';

const blockSize = 4;

/** A source over one-byte images whose only feature is the byte; sample 3 is bad. */
function aSource(budgetBytes: number) {
  const program = {
    partition: { boundaryFloats: 1 },
    features: (pixels: Uint8Array) => Float32Array.from(pixels),
  } as unknown as StageProgram;
  const source = featureSource({
    program,
    blockSize,
    store: featureStore(budgetBytes),
    board: progressBoard(newBoardBuffer()),
    checkpoint: async () => {},
    loadBlock: async (refs) => {
      const pixels = new Uint8Array(blockSize);
      for (const [row, ref] of refs.entries()) pixels[row] = ref.index + 10;
      return { pixels, present: refs.map((ref) => ref.index !== 3) };
    },
  });
  const refs = (...indices: number[]): SampleRef[] => indices.map((index) => ({ set: 'train', index, view: 0 }));
  return { source, refs };
}

test('what fits the store is computed once', async () => {
  const { source, refs } = aSource(1000);
  await source.fill(refs(0, 1, 2, 3, 4, 5));
  await source.prepare(refs(5, 3, 0));
  assert.equal(source.counts.computed, 5);
  const { features, present } = source.rows(refs(5, 3, 0), 4);
  assert.deepEqual([...features], [15, 0, 10, 0]);
  assert.deepEqual(present, [true, false, true]);
});

test('what does not fit is computed again and reads the same', async () => {
  const { source, refs } = aSource(8);
  await source.fill(refs(0, 1, 2, 4, 5, 6));
  await source.prepare(refs(6, 0));
  assert.deepEqual([...source.rows(refs(6, 0), 2).features], [16, 10]);
  await source.prepare(refs(5, 6));
  assert.deepEqual([...source.rows(refs(5, 6), 2).features], [15, 16]);
});

test('rows that nobody prepared are a defect', async () => {
  const { source, refs } = aSource(1000);
  assert.throws(() => source.rows(refs(7), 1), /train\/7\/0 were not prepared/);
});
