import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  convolution,
  functional,
  type KerasLayer,
  kerasInput,
  kerasLayer,
} from '../../../test/support/fixtures/keras-topology.ts';
import { tinyGraph } from '../../../test/support/fixtures/tiny-graph.ts';
import { blocksOf } from './blocks.ts';
import { readLayersModel } from './layers-model.ts';

const blocks = (...layers: KerasLayer[]): string[] =>
  blocksOf(readLayersModel(functional([kerasInput(), ...layers]), { prefix: 'backbone' })).map(
    ({ name, layers: paths }) => `${name}: ${paths.map((path) => path.replace('backbone/', '')).join(' ')}`,
  );

const normalisation = (name: string, from: string): KerasLayer => kerasLayer('BatchNormalization', name, [from]);

test('neighbours that the names put together are one block, as in VGG', () => {
  assert.deepEqual(
    blocks(
      convolution('block1_conv1', ['input']),
      convolution('block1_conv2', ['block1_conv1']),
      kerasLayer('MaxPooling2D', 'block1_pool', ['block1_conv2']),
      convolution('block2_conv1', ['block1_pool']),
      kerasLayer('Flatten', 'flatten', ['block2_conv1']),
      kerasLayer('Dense', 'fc1', ['flatten'], { units: 3 }),
      kerasLayer('Dense', 'fc2', ['fc1'], { units: 3 }),
    ),
    ['block1: block1_conv1 block1_conv2', 'block2: block2_conv1', 'fc1: fc1', 'fc2: fc2'],
  );
});

test('a branch is never divided', () => {
  assert.deepEqual(
    blocks(
      convolution('stem', ['input']),
      convolution('left', ['stem']),
      convolution('right', ['stem']),
      kerasLayer('Add', 'sum', ['left', 'right']),
      convolution('last', ['sum']),
    ),
    ['stem: stem', 'left: left right', 'last: last'],
  );
});

test('a normalisation belongs to the layer before it', () => {
  assert.deepEqual(
    blocks(
      convolution('a', ['input']),
      normalisation('a_norm', 'a'),
      kerasLayer('ReLU', 'a_relu', ['a_norm']),
      convolution('b', ['a_relu']),
    ),
    ['a: a a_norm', 'b: b'],
  );
});

test('equal stems that are no neighbours are two blocks', () => {
  assert.deepEqual(
    blocks(convolution('block1_a', ['input']), convolution('other', ['block1_a']), convolution('block1_b', ['other'])),
    ['block1: block1_a', 'other: other', 'block1: block1_b'],
  );
});

test('the head is in no block', () => {
  assert.deepEqual(
    blocksOf(tinyGraph()).map(({ name }) => name),
    ['block1', 'block2', 'block3'],
  );
});
