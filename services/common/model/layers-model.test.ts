import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  convolution,
  functional,
  type KerasLayer,
  kerasInput,
  kerasLayer,
  sequential,
} from '../../../test/support/fixtures/keras-topology.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { readLayersModel } from './layers-model.ts';

const read = (model: unknown, inputSize?: { height: number; width: number }) =>
  readLayersModel(model, { prefix: 'backbone', inputSize });
const inputsOf = (model: unknown): (readonly [string, readonly string[]])[] =>
  read(model).layers.map(({ path, inputs }) => [path, inputs]);

/** A layer of a Sequential has no name and no inbound nodes of its own. */
const listed = ({ class_name, config }: KerasLayer): KerasLayer => ({ class_name, config });

test('a functional model is read in an order in which every input comes first', () => {
  const layers = [
    kerasLayer('Add', 'sum', ['left', 'right']),
    convolution('right', ['input']),
    convolution('left', ['input']),
    kerasInput(),
  ];
  assert.deepEqual(inputsOf(functional(layers, ['sum'])), [
    ['backbone/input', []],
    ['backbone/right', ['backbone/input']],
    ['backbone/left', ['backbone/input']],
    ['backbone/sum', ['backbone/left', 'backbone/right']],
  ]);
  assert.equal(read(functional(layers, ['sum'])).output, 'backbone/sum');
});

test('the wrapping of model.json makes no difference', () => {
  const model = functional([kerasInput(), convolution('conv', ['input'])]);
  assert.deepEqual(read({ keras_version: '2', model_config: model }), read(model));
});

test('a Sequential is a chain, with or without a layer for its input', () => {
  const layers = [convolution('a', []), convolution('b', [])].map(listed);
  const shape = { batch_input_shape: [null, 8, 8, 3] };
  const [first, ...rest] = layers as [KerasLayer, KerasLayer];
  const withShape = { ...first, config: { ...(first.config as object), ...shape } };
  const withLayer = [listed(kerasInput([8, 8, 3], 'a_input')), ...layers];
  const expected = [
    ['backbone/a_input', []],
    ['backbone/a', ['backbone/a_input']],
    ['backbone/b', ['backbone/a']],
  ];
  assert.deepEqual(inputsOf(sequential([withShape, ...rest])), expected);
  assert.deepEqual(inputsOf(sequential(withLayer)), expected);
  assert.deepEqual(inputsOf({ class_name: 'Sequential', config: withLayer }), expected);
});

test('nested models are inlined under their name', () => {
  const inner = functional([kerasInput([8, 8, 3], 'inner_input'), convolution('conv', ['inner_input'])]);
  const nested = {
    ...kerasLayer('Functional', 'inner', ['first']),
    config: { ...(inner.config as object), name: 'inner' },
  };
  const block = sequential([listed(kerasInput([8, 8, 4])), listed(convolution('conv', []))], 'block');
  const model = functional([
    kerasInput(),
    convolution('first', ['input'], 3),
    nested,
    { ...block, name: 'block', inbound_nodes: [[['inner', 0, 0, {}]]] },
  ]);
  assert.deepEqual(inputsOf(model), [
    ['backbone/input', []],
    ['backbone/first', ['backbone/input']],
    ['backbone/inner/conv', ['backbone/first']],
    ['backbone/block/conv', ['backbone/inner/conv']],
  ]);
});

test('a model that starts with a nested one takes its input from there', () => {
  const inner = functional([kerasInput([8, 8, 3], 'inner_input'), convolution('conv', ['inner_input'])]);
  const model = sequential([
    { ...inner, config: { ...(inner.config as object), name: 'base' } },
    listed(kerasLayer('Flatten', 'flat', [])),
  ]);
  assert.deepEqual(inputsOf(model), [
    ['backbone/base/inner_input', []],
    ['backbone/base/conv', ['backbone/base/inner_input']],
    ['backbone/flat', ['backbone/base/conv']],
  ]);
});

test('the calls of Keras 3 are read', () => {
  const tensor = (name: string): object => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, 8, 8, 4], dtype: 'float32', keras_history: [name, 0, 0] },
  });
  const called = (layer: KerasLayer, ...args: unknown[]): KerasLayer => ({
    ...layer,
    inbound_nodes: [{ args, kwargs: {} }],
  });
  const input = kerasLayer('InputLayer', 'input', [], { batch_shape: [null, 8, 8, 3] });
  const model = functional([
    input,
    called(convolution('a', []), tensor('input')),
    called(convolution('b', []), tensor('input')),
    called(kerasLayer('Add', 'sum', []), [tensor('a'), tensor('b')]),
  ]);
  assert.deepEqual(inputsOf(model).at(-1), ['backbone/sum', ['backbone/a', 'backbone/b']]);
  const constant = functional([input, called(convolution('a', []), 3)]);
  assert.throws(() => read(constant), /backbone\/a: found the argument 3; expected tensors only/);
});

test('open sizes are the job’s to fill', () => {
  const model = functional([kerasInput([null, null, 3]), convolution('conv', ['input'])]);
  assert.deepEqual(read(model, { height: 6, width: 10 }).layers.at(-1)?.outputShape, [6, 10, 4]);
  assert.throws(
    () => read(model),
    /batch_input_shape: found \[null,null,null,3\]; expected known sizes; set model\.input\.size/,
  );
});

const withInput = (...layers: KerasLayer[]): KerasLayer => functional([kerasInput(), ...layers]);
const shared = { ...convolution('conv', []), inbound_nodes: [[['input', 0, 0, {}]], [['conv', 0, 0, {}]]] };

const refused: readonly (readonly [what: string, model: unknown, message: RegExp])[] = [
  ['nothing', null, /the model: found no class_name and config; expected a Keras model/],
  ['a list', [], /found no class_name and config/],
  ['a shared layer', withInput(shared), /backbone\/conv: the layer is called 2 times; expected once/],
  [
    'layers in a circle',
    withInput(convolution('a', ['b']), convolution('b', ['a'])),
    /backbone: layers feed each other in a circle, or an input is missing/,
  ],
  ['a missing input', withInput(convolution('a', ['nobody'])), /or an input is missing/],
  [
    'two outputs',
    functional([kerasInput(), convolution('a', ['input'])], ['a', 'input']),
    /backbone: found 2 outputs; expected 1/,
  ],
  ['no output', functional([kerasInput()], []), /backbone: found no output_layers; expected 1/],
  ['an output that is no layer', functional([kerasInput()], ['nobody']), /backbone: its output "nobody" is no layer/],
  [
    'two inputs',
    functional([kerasInput(), kerasInput([8, 8, 3], 'other'), kerasLayer('Add', 'sum', ['input', 'other'])]),
    /the model has 2 inputs \(backbone\/input, backbone\/other\); expected 1/,
  ],
  [
    'one name twice',
    sequential([listed(kerasInput()), listed(convolution('a', [])), listed(convolution('a', []))]),
    /backbone\/a: two layers have this name/,
  ],
  ['an empty Sequential', sequential([]), /backbone: a Sequential without layers/],
  [
    'a layer without a name',
    withInput({ class_name: 'Flatten', config: {} }),
    /backbone: a Flatten layer without a name/,
  ],
  [
    'an unknown class',
    withInput(kerasLayer('Lambda', 'magic', ['input'])),
    /backbone\/magic: layer class "Lambda" is not supported; known classes: InputLayer, /,
  ],
  [
    "a class that is JavaScript's own",
    withInput(kerasLayer('constructor', 'magic', ['input'])),
    /layer class "constructor" is not supported/,
  ],
  [
    "somebody's own class called like one of Keras'",
    withInput({ ...convolution('own', ['input']), registered_name: 'my_package>Conv2D' }),
    /backbone\/own: layer class "my_package>Conv2D" is not supported/,
  ],
  [
    'a layer that always trains, as Keras 2 writes it',
    withInput({ ...convolution('a', []), inbound_nodes: [[['input', 0, 0, { training: true }]]] }),
    /backbone\/a: found a call with training=True; expected one that follows the model/,
  ],
  [
    'a layer that always trains, as Keras 3 writes it',
    withInput({ ...convolution('a', []), inbound_nodes: [{ args: [], kwargs: { training: true } }] }),
    /backbone\/a: found a call with training=True/,
  ],
  [
    'more layers than a network has',
    withInput(...Array.from({ length: 10_000 }, (_, i) => convolution(`c${i}`, ['input']))),
    /backbone: found 10001 layers; expected at most 10000$/,
  ],
  [
    'more layers than a network has, in many models',
    sequential([
      listed(kerasInput()),
      ...Array.from({ length: 101 }, (_, i) => ({
        class_name: 'Sequential',
        config: {
          name: `s${i}`,
          layers: Array.from({ length: 100 }, (_, j) =>
            listed(kerasLayer('Activation', `a${j}`, [], { activation: 'relu' })),
          ),
        },
      })),
    ]),
    /found 10001 layers; expected at most 10000$/,
  ],
  [
    'malformed references',
    withInput({ ...convolution('a', []), inbound_nodes: [[[7, 0, 0]]] }),
    /backbone\/a: found the reference \[7,0,0\]; expected \["layer", 0, 0\]/,
  ],
];

for (const [what, model, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => read(model),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'ModelInvalid', String(thrown));
        assert.match(thrown.message, message);
        return true;
      },
    );
  });
}
