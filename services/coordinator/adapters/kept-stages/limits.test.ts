import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { beyondLimits } from './limits.ts';

const some = fc.array(fc.record({ bytes: fc.nat(100), usedAt: fc.nat(1000) }), { maxLength: 20 });

it('what stays fits and is young enough, and nothing goes that is younger than what stays and as young', () => {
  const limits = fc.record({ bytesMax: fc.nat(500), millisecondsMax: fc.nat(1000), now: fc.constant(1000) });
  fc.assert(
    fc.property(some, limits, (things, { bytesMax, millisecondsMax, now }) => {
      const going = beyondLimits(things, { bytesMax, millisecondsMax, now });
      const staying = things.filter((thing) => !going.includes(thing));
      const bytes = staying.reduce((sum, thing) => sum + thing.bytes, 0);
      assert.ok(bytes <= bytesMax);
      assert.ok(staying.every(({ usedAt }) => now - usedAt <= millisecondsMax));
      const oldest = Math.min(...staying.map(({ usedAt }) => usedAt));
      assert.ok(going.every(({ usedAt }) => usedAt <= oldest || now - usedAt > millisecondsMax));
    }),
  );
});

it('nothing goes while all of it fits', () => {
  fc.assert(
    fc.property(some, (things) => {
      const bytesMax = things.reduce((sum, { bytes }) => sum + bytes, 0);
      assert.deepEqual(beyondLimits(things, { bytesMax, millisecondsMax: 1000, now: 1000 }), []);
    }),
  );
});
