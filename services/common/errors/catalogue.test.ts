import assert from 'node:assert/strict';
import { it } from 'node:test';
import { errorCodeOf } from './catalogue.ts';

for (const [text, code] of [
  ['BrokerLost', 'BrokerLost'],
  ['', 'Internal'],
  ['brokerlost', 'Internal'],
  ['toString', 'Internal'],
  ['__proto__', 'Internal'],
] as const) {
  it(`reads the code "${text}" as ${code}`, () => assert.equal(errorCodeOf(text), code));
}
