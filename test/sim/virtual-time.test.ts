import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from './virtual-time.ts';

it('lets things happen by time, and at one time in the order in which they were asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (delays) => {
      const time = new VirtualTime();
      const happened: (readonly [number, number])[] = [];
      for (const [i, delay] of delays.entries()) time.after(delay, () => happened.push([time.now, i]));
      while (time.step());
      const expected = delays.map((delay, i) => [delay, i] as const).sort(([a, i], [b, j]) => a - b || i - j);
      assert.deepEqual(happened, expected);
    }),
  );
});
