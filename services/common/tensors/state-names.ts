// What the tensors of a stored state are called: those that are trained by their own names, what belongs to them by the
// same names below a prefix. Trainers write states, and the coordinator takes the result's weights out of one.

/** `slot/SLOT/NAME`: what the optimizer remembers. */
export const slotPrefix = 'slot/';

/** `average/NAME`: the averaged values. */
export const averagePrefix = 'average/';
