import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, digestOf, digestOfJson } from './digest.ts';

test('a digest is the published SHA-256', () => {
  assert.equal(digestOf(''), 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(digestOf('abc'), digestOf(new TextEncoder().encode('abc')));
});

test('the order of keys never matters, everything else does', () => {
  assert.equal(digestOfJson({ a: 1, b: [{ c: 2, d: 3 }] }), digestOfJson({ b: [{ d: 3, c: 2 }], a: 1 }));
  assert.notEqual(digestOfJson({ a: [1, 2] }), digestOfJson({ a: [2, 1] }));
  assert.notEqual(digestOfJson({ a: 1 }), digestOfJson({ a: '1' }));
});

test('the canonical text says the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});
