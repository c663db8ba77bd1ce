import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { selectTrainable } from '@thaw/common/model/select.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { drawnPixels, drawnWeights, smallClasses, smallGraph } from '@thaw/trainer/testing/small-network.ts';
import { agreement, farthest } from './agreement.ts';
import { mirrored } from './kinks.ts';
import { type OracleWeights, oracleGradients } from './training.ts';

const tolerance = 1e-5;
const layer = 'head/dense_1';
const network = { graph: smallGraph(), seed: 1, scale: 1 / 255 };
const sampleIds = ['a', 'b'];
const shard = { pixels: Buffer.concat(sampleIds.map(drawnPixels)), labels: [0, smallClasses - 1], sampleIds, epoch: 0 };

before(async () => {
  await createEngine({ kind: 'cpu', threads: 1, gpus: 0 });
});

/** Weights at which one unit of the layer lies on its kink but for rounding, for the first sample. */
function onTheKink(): {
  options: OracleWeights;
  unit: { shard: number; layer: string; index: number; distance: number };
} {
  const trainable = selectTrainable(network.graph, ['head/**']).tensors.map(({ name }) => name);
  const weights = drawnWeights(network.graph);
  const bias = weights.get(`${layer}/bias`)?.data as Float32Array;
  const index = 2;
  let distance = Number.NaN;
  const see = () =>
    oracleGradients(network, [shard], {
      weights,
      trainable,
      rectifierInput: () => (path, x) => {
        if (path === layer) distance = x.dataSync()[index] as number;
        return x;
      },
    });
  see();
  bias[index] = (bias[index] as number) - distance + 1e-7;
  see();
  return { options: { weights, trainable }, unit: { shard: 0, layer, index, distance } };
}

test('a unit on its kink may be found on either side, and only that is forgiven', () => {
  const { options, unit } = onTheKink();
  const plain = oracleGradients(network, [shard], options).gradients;
  const { gradients: found } = oracleGradients(network, [shard], { ...options, rectifierInput: mirrored([unit]) });
  assert.ok(farthest(found, plain).distance > 100 * tolerance, 'the side makes no difference');
  const agreed = agreement(network, [shard], { ...options, found, tolerance });
  assert.ok(agreed.distance <= tolerance);
  assert.deepEqual(
    agreed.mirrored.map(({ layer, index }) => ({ layer, index })),
    [{ layer, index: unit.index }],
  );
  const wrong = new Map([...found].map(([name, values]) => [name, values.map((value) => value * 1.0001)]));
  assert.ok(agreement(network, [shard], { ...options, found: wrong, tolerance }).distance > tolerance);
});
