// Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"): one number that divides all logits
// before the softmax, so that a model is as right as it is sure; which class is the most probable never changes. It
// works on probabilities, of which logits differ by a constant that a softmax does not see.

/** Smaller probabilities have no logarithm of use; the smallest normal float32. */
const probabilityFloor = 2 ** -126;

/** From 1/4 to 16, eight for each doubling: the loss is summed at all of them in one pass over the samples. */
export const temperatureGrid: readonly number[] = Array.from({ length: 49 }, (_, i) => 2 ** (i / 8 - 2));

/** Of one sample: `probabilities` [classes] as the model gives them, and what they are at a temperature. */
export function atTemperature(probabilities: Float32Array, temperature: number): Float32Array {
  const powers = powersOf(logarithms(probabilities), temperature);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return Float32Array.from(powers, (power) => power / total);
}

/** -log of the truth's probability at each of the temperatures. */
export function lossesAt(probabilities: Float32Array, truth: number, temperatures: readonly number[]): number[] {
  const logs = logarithms(probabilities);
  return temperatures.map((temperature) => {
    let total = 0;
    for (let i = 0; i < logs.length; i++) total += Math.exp((logs[i] as number) / temperature);
    return Math.log(total) - (logs[truth] as number) / temperature;
  });
}

/** Relative to the largest, which is 0. */
function logarithms(probabilities: Float32Array): Float64Array {
  const logs = Float64Array.from(probabilities, (probability) => Math.log(Math.max(probability, probabilityFloor)));
  const largest = logs.reduce((most, log) => Math.max(most, log), Number.NEGATIVE_INFINITY);
  return logs.map((log) => log - largest);
}

function powersOf(logs: Float64Array, temperature: number): Float64Array {
  return logs.map((log) => Math.exp(log / temperature));
}

/**
 * The temperature of the least loss: of the grid, moved to the bottom of the parabola through it and its neighbours in
 * the logarithm of the temperature. Four digits, as it is shown; 1 where none is better. `losses`: by temperatureGrid.
 */
export function bestTemperature(losses: readonly number[]): number {
  const unchanged = temperatureGrid.indexOf(1);
  const least = losses.reduce((best, loss, i) => (loss < (losses[best] as number) ? i : best), unchanged);
  const [before, at, after] = [losses[least - 1], losses[least] as number, losses[least + 1]];
  const temperature = temperatureGrid[least] as number;
  if (before === undefined || after === undefined) return rounded(temperature);
  const curvature = before - 2 * at + after;
  return rounded(curvature > 0 ? temperature * 2 ** ((before - after) / (2 * curvature) / 8) : temperature);
}

function rounded(temperature: number): number {
  return Number(temperature.toPrecision(4));
}
