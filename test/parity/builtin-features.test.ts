// A sample's features depend on the sample alone for every builtin, at the smallest picture that it takes, where some of
// its layers see one pixel: the same bits whatever the place in the block. Without that a trainer refuses to work.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { HeadLayer } from '@thaw/common/job/resolved-job.ts';
import { architectureNames, architectureOf } from '@thaw/common/model/architectures/architectures.ts';
import { replaceHead } from '@thaw/common/model/head.ts';
import { initialWeights } from '@thaw/common/model/initial-weights.ts';
import { keyedStream } from '@thaw/common/random/stream.ts';
import { classifierCut } from '@thaw/coordinator/prepare/model-source/classifier-cut.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { skipWithoutTensorflow } from '../support/tensorflow.ts';

const skip = await skipWithoutTensorflow();
const classes = 3;
const head: readonly HeadLayer[] = [
  { kind: 'globalAveragePooling' },
  { kind: 'dense', units: classes, activation: 'softmax', useBias: true },
];

/** On wasm, which is slow: one of each kind of layer will do, and a trainer proves its own network anyway. */
const builtins = {
  tensorflow: architectureNames,
  wasm: architectureNames.filter((name) => name === 'mobilenetV2' || name === 'efficientnetB0'),
} as const;

for (const engine of ['tensorflow', 'wasm'] as const) {
  describe(`features of a builtin on ${engine}`, { skip: engine === 'tensorflow' && skip }, () => {
    for (const name of builtins[engine]) {
      it(`${name}: depend on the sample alone, and are a vector while the backbone is frozen`, async () => {
        const { build, preprocessing, sizeMin } = architectureOf(name) as NonNullable<
          ReturnType<typeof architectureOf>
        >;
        const inputSize = { height: sizeMin, width: sizeMin };
        const trunk = build(inputSize);
        const graph = replaceHead(trunk, { cut: classifierCut(trunk), head, inputSize });
        const { loadModel } = await createEngine({ kind: engine, threads: 1, gpus: 0 });
        const resize = { ...inputSize, resize: 'squash' } as const;
        const model = loadModel(graph, initialWeights(graph.layers, 1), { ...resize, ...preprocessing });
        const trainable = ['head/output/bias', 'head/output/kernel'];
        const program = model.stageProgram({
          trainable,
          seed: 1,
          blockSize,
          microBatch: 4,
          classes,
          loss: plainCrossEntropy,
        });
        const { boundary, boundaryFloats } = program.partition;
        assert.deepEqual(boundary, ['head/global_average_pooling']);
        const stream = keyedStream(1, 'probe', name);
        const pixels = Uint8Array.from({ length: blockSize * sizeMin * sizeMin * 3 }, () => stream.below(256));
        const rows = rowsOf(program.features(pixels), boundaryFloats);
        const turned = program.features(
          Uint8Array.from(
            rowsOf(pixels, sizeMin * sizeMin * 3)
              .reverse()
              .flatMap((row) => [...row]),
          ),
        );
        program.dispose();
        model.dispose();
        assert.deepEqual(rowsOf(turned, boundaryFloats).reverse(), rows);
        assert.notDeepEqual(rows[0], rows[1], 'the pictures have different features');
      });
    }
  });
}

function rowsOf<T extends Uint8Array | Float32Array>(values: T, length: number): T[] {
  return Array.from({ length: blockSize }, (_, row) => values.slice(row * length, (row + 1) * length) as T);
}
