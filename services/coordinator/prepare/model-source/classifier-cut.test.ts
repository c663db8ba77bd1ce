import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLayersModel } from '@thaw/common/model/layers-model.ts';
import {
  convolution,
  functional,
  type KerasLayer,
  kerasInput,
  kerasLayer,
} from '../../../../test/support/fixtures/keras-topology.ts';
import { tinyModel, tinyModelCut } from '../../../../test/support/fixtures/tiny-model.ts';
import { classifierCut } from './classifier-cut.ts';

const cutOf = (topology: unknown): string => classifierCut(readLayersModel(topology, { prefix: 'backbone' }));

/** A chain on an input of 8 x 8, each layer reading the one before. */
function chain(...layers: readonly (readonly [kind: string, name: string, config?: object])[]): KerasLayer {
  const names = ['input', ...layers.map(([, name]) => name)];
  return functional([
    kerasInput(),
    ...layers.map(([kind, name, config], i) => kerasLayer(kind, name, [names[i] as string], config)),
  ]);
}

const conv = { filters: 4, kernel_size: [3, 3], padding: 'same' };
const classifier = { units: 10, activation: 'softmax' };

const cases: readonly (readonly [what: string, topology: unknown, cut: string])[] = [
  [
    'VGG: flatten and three dense layers',
    chain(
      ['Conv2D', 'block5_conv3', conv],
      ['MaxPooling2D', 'block5_pool'],
      ['Flatten', 'flatten'],
      ['Dense', 'fc1', { units: 7 }],
      ['Dense', 'predictions', classifier],
    ),
    'block5_pool',
  ],
  [
    'ResNet: global pooling and one dense layer',
    chain(['Conv2D', 'conv', conv], ['GlobalAveragePooling2D', 'avg_pool'], ['Dense', 'predictions', classifier]),
    'conv',
  ],
  [
    'MobileNet: a convolution of the pooled picture',
    chain(
      ['Conv2D', 'conv_pw_13', conv],
      ['GlobalAveragePooling2D', 'pool'],
      ['Reshape', 'reshape_1', { target_shape: [1, 1, 4] }],
      ['Dropout', 'dropout', { rate: 0.001 }],
      ['Conv2D', 'conv_preds', { filters: 10, kernel_size: [1, 1] }],
      ['Reshape', 'reshape_2', { target_shape: [10] }],
      ['Activation', 'predictions', { activation: 'softmax' }],
    ),
    'conv_pw_13',
  ],
  [
    'MobileNetV3: pooling that keeps its dimensions',
    chain(
      ['Conv2D', 'conv', conv],
      ['GlobalAveragePooling2D', 'pool', { keepdims: true }],
      ['Conv2D', 'conv_2', { filters: 6, kernel_size: [1, 1], activation: 'relu' }],
      ['Conv2D', 'logits', { filters: 10, kernel_size: [1, 1] }],
      ['Flatten', 'flatten'],
      ['Activation', 'predictions', { activation: 'softmax' }],
    ),
    'conv',
  ],
  [
    'a 1 x 1 picture that no pooling made is the backbone’s',
    chain(['Conv2D', 'conv', { filters: 4, kernel_size: [8, 8] }], ['Flatten', 'flat'], ['Dense', 'out', classifier]),
    'conv',
  ],
  ['no classifier at all', functional([kerasInput(), convolution('conv', ['input'])]), 'conv'],
  ['the tiny model', (tinyModel().modelJson as { modelTopology: unknown }).modelTopology, tinyModelCut],
];

for (const [what, topology, cut] of cases) {
  test(`the head goes on ${cut}: ${what}`, () => assert.equal(cutOf(topology), cut));
}
