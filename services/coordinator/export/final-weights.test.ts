import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeSafetensors } from '@thaw/common/tensors/safetensors.ts';
import { aPreparedJob } from '../testing/a-prepared-job.ts';
import { finalWeights } from './final-weights.ts';

const { graph, weights } = aPreparedJob({ stages: [] });
const bias = 'head/output/bias';
const tensor = (value: number) => ({ shape: [2], data: new Float32Array(2).fill(value) });

/** The bias of a result whose state holds these tensors, in this order. */
function exportedBias(stored: Readonly<Record<string, number>>): number | undefined {
  const tensors = new Map(Object.entries(stored).map(([name, value]) => [name, tensor(value)]));
  return finalWeights(graph, weights, writeSafetensors(tensors, {}), 'the state').get(bias)?.data[0];
}

test('a result has what was trained, or its average where there is one, and no slot', () => {
  assert.equal(exportedBias({}), 0.5);
  assert.equal(exportedBias({ [bias]: 7, [`slot/m/${bias}`]: 9 }), 7);
  assert.equal(exportedBias({ [bias]: 7, [`average/${bias}`]: 8 }), 8);
  assert.equal(exportedBias({ [`average/${bias}`]: 8, [bias]: 7 }), 8);
});

test('a tensor that the network does not have is refused by its name', () => {
  assert.throws(() => exportedBias({ 'average/head/other': 1 }), /the state: found average\/head\/other \[2\]/);
});
