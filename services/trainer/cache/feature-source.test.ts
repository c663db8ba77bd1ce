import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import type { StageProgram } from '../engine/engine.ts';
import { noFeatureCounts, samplesComputed, takeCounts, takeSavings } from './feature-counts.ts';
import type { SampleRef } from './level.ts';
import { programSource } from './program-source.ts';
import type { StoreFit } from './store-fit.ts';

const blockSize = 4;

/** A source over one-byte images whose only feature is the byte; sample 3 is bad. */
function aSource(budgetBytes: number) {
  const loaded: string[] = [];
  const said: StoreFit[] = [];
  const program = {
    partition: { boundary: ['byte'], boundaryFloats: 1 },
    features: (pixels: Uint8Array) => Float32Array.from(pixels),
  } as unknown as StageProgram;
  const counts = noFeatureCounts();
  const source = programSource({
    program,
    blockSize,
    memoryBytes: budgetBytes,
    counts,
    board: progressBoard(newBoardBuffer()),
    checkpoint: async () => {},
    onFull: (fit) => said.push(fit),
    loadBlock: async (refs) => {
      loaded.push(refs.map(({ index }) => index).join());
      const pixels = new Uint8Array(blockSize);
      for (const [row, ref] of refs.entries()) pixels[row] = ref.index + 10;
      return { pixels, present: refs.map((ref) => ref.index !== 3) };
    },
  });
  const refs = (...indices: number[]): SampleRef[] => indices.map((index) => ({ set: 'train', index, view: 0 }));
  return { source, counts, refs, loaded, said };
}

test('what fits the store is computed once', async () => {
  const { source, counts, refs } = aSource(1000);
  await source.fill(refs(0, 1, 2, 3, 4, 5));
  await source.prepare(refs(5, 3, 0));
  assert.equal(samplesComputed(counts), 5);
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

test('a full store decodes nothing more in a fill, and says once how much it holds', async () => {
  const { source, counts, refs, loaded, said } = aSource(12);
  await source.fill(refs(0, 1, 2, 4, 5, 6, 7));
  assert.deepEqual(loaded, ['0,1,2']);
  await source.fill(refs(0, 1, 2, 4, 5, 6, 7));
  await source.fill(refs(8, 9));
  assert.deepEqual(loaded, ['0,1,2']);
  assert.deepEqual(said, [{ held: 3, wanted: 7, heldBytes: 12, wantedBytes: 28, what: 'features', disk: 'none' }]);
  assert.deepEqual([samplesComputed(counts), counts.misses], [3, 0]);
});

test('a fill that fits says nothing, up to the last byte', async () => {
  const { source, refs, said } = aSource(12);
  await source.fill(refs(0, 1, 2));
  assert.deepEqual(said, []);
});

test('what does not fit decodes ahead of its step, once', async () => {
  const { source, counts, refs, loaded } = aSource(4);
  await source.fill(refs(0, 1, 2, 4, 5, 6));
  await source.prepare(refs(0, 1, 2), refs(4, 5));
  assert.deepEqual(loaded, ['0', '1,2', '4,5']);
  await source.prepare(refs(4, 5), refs(6, 0));
  assert.deepEqual(loaded, ['0', '1,2', '4,5', '6']);
  assert.deepEqual([...source.rows(refs(4, 5), 2).features], [14, 15]);
  await source.prepare(refs(1, 6));
  assert.deepEqual(loaded.slice(4), ['1,6'], 'another step than announced came');
  assert.deepEqual([...source.rows(refs(1, 6), 2).features], [11, 16]);
  assert.equal(counts.misses, 6);
});

test('rows that were measured in one directive save time in every later one, save their first use', async () => {
  const { source, counts, refs } = aSource(1000);
  const ofDirective = async (uses: number) => {
    await source.fill(refs(0, 1, 2));
    for (let use = 0; use < uses; use++) await source.prepare(refs(0, 1, 2));
    takeCounts(counts);
    return takeSavings(counts);
  };
  assert.deepEqual(await ofDirective(0), { samples: 0, seconds: 0 });
  assert.deepEqual(await ofDirective(1), { samples: 0, seconds: 0 });
  const ofTwo = await ofDirective(2);
  const ofOne = await ofDirective(1);
  assert.deepEqual([ofTwo.samples, ofOne.samples], [6, 3]);
  assert.ok(ofOne.seconds > 0 && Math.abs(ofTwo.seconds / ofOne.seconds - 2) < 1e-9, `${ofTwo.seconds} s`);
});

test('rows that nobody prepared are a defect', async () => {
  const { source, refs } = aSource(1000);
  assert.throws(() => source.rows(refs(7), 1), /train\/7\/0 were not prepared/);
});
