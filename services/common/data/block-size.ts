// The one batch shape of inference: prefix blocks and evaluation batches hold this many samples, padded at the end. A
// sample's features would differ with another size, so it is a constant of the numerics, not a setting.

export const blockSize = 32;
