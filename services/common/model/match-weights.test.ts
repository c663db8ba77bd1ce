import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convolution, functional, kerasInput } from '../../../test/support/fixtures/keras-topology.ts';
import { ThawError } from '../errors/thaw-error.ts';
import type { Tensor } from './graph.ts';
import { readLayersModel } from './layers-model.ts';
import { matchWeights } from './match-weights.ts';

const inner = functional([kerasInput([8, 8, 3], 'in'), convolution('conv', ['in'])]);
const nested = { ...inner, name: 'outer', config: { ...(inner.config as object), name: 'outer' } };
const graph = readLayersModel(
  functional([kerasInput(), { ...nested, inbound_nodes: [[['input', 0, 0, {}]]] }, convolution('last', ['outer'])]),
  { prefix: 'backbone' },
);

const tensor = (...shape: number[]): Tensor => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
const whole = (): Map<string, Tensor> =>
  new Map([
    ['conv/kernel', tensor(3, 3, 3, 4)],
    ['conv/bias', tensor(4)],
    ['last/kernel', tensor(3, 3, 4, 4)],
    ['last/bias', tensor(4)],
  ]);

test('a nested model’s weights are found with and without the outer name', () => {
  const stored = whole();
  const names = [
    'backbone/outer/conv/kernel',
    'backbone/outer/conv/bias',
    'backbone/last/kernel',
    'backbone/last/bias',
  ];
  assert.deepEqual([...matchWeights(graph, stored, 'w').keys()], names);
  const kernel = stored.get('conv/kernel') as Tensor;
  stored.delete('conv/kernel');
  stored.set('outer/conv/kernel', kernel);
  assert.equal(matchWeights(graph, stored, 'w').get('backbone/outer/conv/kernel'), kernel);
});

test('what is missing, surplus and misshapen is said at once', () => {
  const stored = whole();
  stored.delete('conv/bias');
  stored.set('last/bias', tensor(5));
  stored.set('other/kernel', tensor(1));
  assert.throws(
    () => matchWeights(graph, stored, 'weights.bin'),
    (thrown) => {
      assert.ok(thrown instanceof ThawError && thrown.code === 'ModelInvalid');
      assert.deepEqual(thrown.message.split('\n'), [
        'weights.bin: weights do not fit the layers:',
        '  backbone/outer/conv/bias is missing',
        '  backbone/last/bias: found shape [5]; expected [4]',
        '  other/kernel belongs to no layer',
      ]);
      return true;
    },
  );
});

test('many problems are counted', () => {
  const stored = new Map(Array.from({ length: 10 }, (_, i) => [`other${i}/kernel`, tensor(1)]));
  assert.match(String(new Error(messageOf(stored))), /\n {2}and 9 more$/);
});

function messageOf(stored: Map<string, Tensor>): string {
  try {
    matchWeights(graph, stored, 'w');
    return '';
  } catch (thrown) {
    return (thrown as Error).message;
  }
}
