import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyedStream } from '../random/stream.ts';
import { atTemperature, bestTemperature, lossesAt, temperatureGrid } from './temperature.ts';

const logits = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 2, maxLength: 6 });

function softmax(values: readonly number[]): number[] {
  const powers = values.map((value) => Math.exp(value));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

it('makes of the probabilities what dividing the logits would have made', () => {
  fc.assert(
    fc.property(logits, fc.constantFrom(...temperatureGrid), (values, temperature) => {
      const found = atTemperature(Float32Array.from(softmax(values)), temperature);
      const expected = softmax(values.map((value) => value / temperature));
      for (const [i, p] of expected.entries()) assert.ok(Math.abs((found[i] as number) - p) < 1e-5);
      const [losses] = [lossesAt(Float32Array.from(softmax(values)), 0, [temperature])];
      assert.ok(Math.abs((losses[0] as number) + Math.log(expected[0] as number)) < 1e-4 / Math.min(1, temperature));
    }),
  );
});

it('changes no probability at 1, and no order at any', () => {
  fc.assert(
    fc.property(logits, fc.constantFrom(...temperatureGrid), (values, temperature) => {
      const given = Float32Array.from(softmax(values));
      for (const [i, p] of atTemperature(given, 1).entries()) assert.ok(Math.abs(p - (given[i] as number)) < 1e-6);
      const found = atTemperature(given, temperature);
      assert.equal(Math.max(...found), found[given.indexOf(Math.max(...given))]);
    }),
  );
});

it('gives a probability of zero a loss that is none of infinity', () => {
  const losses = lossesAt(Float32Array.of(1, 0), 1, temperatureGrid);
  assert.ok(losses.every((loss) => Number.isFinite(loss) && loss > 0));
});

describe('the best temperature', () => {
  /** Samples drawn from softmax(logits), told by a model that says softmax(logits * sharpness). */
  function summed(sharpness: number): number[] {
    const stream = keyedStream(3, 'initialise', 'temperature');
    const sums = new Array<number>(temperatureGrid.length).fill(0);
    for (let sample = 0; sample < 4000; sample++) {
      const own = [0, 0, 0].map(() => 3 * stream.uniform());
      let left = stream.uniform();
      const truth = softmax(own).findIndex((p) => {
        left -= p;
        return left < 0;
      });
      const said = Float32Array.from(softmax(own.map((value) => value * sharpness)));
      for (const [i, loss] of lossesAt(said, Math.max(0, truth), temperatureGrid).entries()) {
        sums[i] = (sums[i] as number) + loss;
      }
    }
    return sums;
  }

  for (const sharpness of [0.5, 1, 2.5]) {
    it(`undoes a model that is ${sharpness} times as sharp as it should be`, () => {
      const found = bestTemperature(summed(sharpness));
      assert.ok(Math.abs(found / sharpness - 1) < 0.06, `${found}`);
    });
  }

  it('is as exact between the points of the grid as four digits are, to one in a thousand', () => {
    for (const wanted of [0.3, 0.77, 1.234, 5.4, 11.9]) {
      const losses = temperatureGrid.map((t) => Math.cosh(Math.log(t / wanted)));
      assert.ok(Math.abs(bestTemperature(losses) / wanted - 1) < 1e-3, `${wanted}: ${bestTemperature(losses)}`);
    }
  });

  it('is the end of the grid where the loss falls on to there, and 1 of losses that are all alike', () => {
    assert.equal(bestTemperature(temperatureGrid.map((t) => -t)), 16);
    assert.equal(bestTemperature(temperatureGrid.map((t) => t)), 0.25);
    assert.equal(bestTemperature(temperatureGrid.map(() => 7)), 1);
  });
});
