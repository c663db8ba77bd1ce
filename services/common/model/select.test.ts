import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyGraph } from '../../../test/support/fixtures/tiny-graph.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { globPattern, selectTrainable } from './select.ts';

const graph = tinyGraph();
const layersOf = (...patterns: string[]): string[] =>
  selectTrainable(graph, patterns).layers.map((path) => path.replace('backbone/', ''));

test('globs match whole paths', () => {
  for (const [glob, path, matches] of [
    ['head/**', 'head/output', true],
    ['head/**', 'head/a/b', true],
    ['head/**', 'backbone/head/output', false],
    ['head/*', 'head/a/b', false],
    ['*', 'head/output', false],
    ['**', 'head/output', true],
    ['backbone/block5_*', 'backbone/block5_conv1', true],
    ['backbone/block5', 'backbone/block5_conv1', false],
    ['block5_*', 'backbone/block5_conv1', false],
    ['**/conv?', 'backbone/a/conv1', true],
    ['**/conv?', 'backbone/a/conv12', false],
    ['backbone/a.b', 'backbone/axb', false],
    ['backbone/(a|b)', 'backbone/a', false],
  ] as const) {
    assert.equal(globPattern(glob).test(path), matches, `${glob} on ${path}`);
  }
});

test('layers come in the order of the graph, once, and only those with something to train', () => {
  assert.deepEqual(layersOf('head/**', 'backbone/**', '**'), [
    'block1_conv',
    'block1_bn',
    'block2_conv',
    'block2_bn',
    'block3_conv',
    'head/output',
  ]);
});

test('last(n) is the last n blocks of the backbone', () => {
  assert.deepEqual(layersOf('last(1)'), ['block3_conv']);
  assert.deepEqual(layersOf('last(2)'), ['block2_conv', 'block2_bn', 'block3_conv']);
  assert.deepEqual(layersOf('last(3)', 'head/**').length, 6);
});

test('moving statistics are never trained', () => {
  assert.deepEqual(
    selectTrainable(graph, ['backbone/block1_bn']).tensors.map(({ name }) => name),
    ['backbone/block1_bn/gamma', 'backbone/block1_bn/beta'],
  );
});

test('a pattern that selects nothing is refused, with what is near', () => {
  for (const [pattern, message] of [
    ['backbone/block3_covn', /"backbone\/block3_covn" matches no layer.*for example backbone\/block3_conv,/],
    ['block1_conv', /for example backbone\/block1_conv,/],
    ['backbone/*_relu', /matches no layer with trainable tensors/],
    [
      'last(0)',
      /found "last\(0\)"; expected last\(1\) to last\(3\), because the backbone has 3 blocks: block1, block2, block3/,
    ],
    ['last(4)', /found "last\(4\)"; expected last\(1\) to last\(3\)/],
    ['last(x)', /"last\(x\)" matches no layer/],
  ] as const) {
    assert.throws(
      () => selectTrainable(graph, ['head/**', pattern]),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'JobInvalid');
        assert.match(thrown.message, message);
        assert.equal(thrown.data.pattern, pattern);
        return true;
      },
    );
  }
});
