// Which class a classifier says: one rule for the accuracy of training and for every evaluation.

/** Index of the largest value, the first one on a tie; NaN never wins over a number before it. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
