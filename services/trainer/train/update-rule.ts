// One update, the same on every member: integer sums to gradients, penalties once after the reduce, one global-norm
// clip, then the optimizer. Everything is float64 in the order of the tensors' names; what is stored is float32.

import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Optimizer } from '@thaw/common/job/resolved-job.ts';
import type { WeightRole, Weights } from '@thaw/common/model/graph.ts';
import type { LayoutEntry, TensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { decayOf, updateTensor } from './optimizers.ts';
import type { TensorState, TrainState } from './train-state.ts';
import { updateAverage } from './weight-averages.ts';

export interface UpdateRule {
  readonly optimizer: Optimizer;
  /** Factor on the learning rate per layout entry (layerDecay). */
  readonly rateFactors: readonly number[];
  readonly roles: readonly WeightRole[];
  /** λ of λ/2·‖w‖² on kernels. */
  readonly l2: number;
  /** α of α/2·‖w − w₀‖², w₀ from `pretrained`; plain L2 for tensors that it does not hold. */
  readonly l2sp: number;
  readonly pretrained: Weights;
  readonly clipNorm: number | null;
  /** Decay of the moving average of the weights; null = none. */
  readonly emaDecay: number | null;
  /** Named when the new state is not finite. */
  readonly stage: { readonly index: number; readonly name: string };
}

export interface ReducedGradient {
  readonly step: number;
  /** int32, in layout order. */
  readonly sums: Int32Array;
  /** Per entry: gradient sum = sums x 2^-exponent. */
  readonly exponents: Int32Array;
  /** What the sum is divided by, > 0. */
  readonly weight: number;
}

export interface Applied {
  readonly learningRate: number;
  /** Global norm before clipping, penalties included. */
  readonly gradientNorm: number;
  /** Value of the penalties before the update. */
  readonly penalty: number;
}

export interface UpdateBuffers {
  /** [layout.length], overwritten. */
  readonly gradient: Float64Array;
}

/** Changes the state in place. Throws NonFinite when a new value is NaN or infinite: the state is then lost and must not be stored. */
export function applyUpdate(
  state: TrainState,
  layout: TensorLayout,
  options: {
    readonly rule: UpdateRule;
    readonly reduced: ReducedGradient;
    readonly learningRate: number;
    readonly buffers: UpdateBuffers;
  },
): Applied {
  const { rule, reduced, learningRate, buffers } = options;
  const { gradient } = buffers;
  invariant(reduced.weight > 0, 'an update without samples');
  let penalty = 0;
  for (const [index, entry] of layout.entries.entries()) {
    scaleInto(gradient, entry, { reduced, exponent: reduced.exponents[index] as number });
    penalty += addPenalties(gradient, entry, {
      state: stateOf(state, entry),
      rule,
      role: rule.roles[index] as WeightRole,
    });
  }
  const gradientNorm = Math.sqrt(sumOfSquares(gradient));
  if (rule.clipNorm !== null && gradientNorm > rule.clipNorm) {
    const factor = rule.clipNorm / gradientNorm;
    for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * factor;
  }
  for (const [index, entry] of layout.entries.entries()) {
    const tensor = stateOf(state, entry);
    tensor.updates += 1;
    updateTensor(rule.optimizer, {
      value: tensor.value,
      slots: tensor.slots,
      update: tensor.updates,
      gradient: gradient.subarray(entry.offset, entry.offset + entry.length),
      learningRate: learningRate * (rule.rateFactors[index] as number),
      decay: rule.roles[index] === 'kernel' ? decayOf(rule.optimizer) : 0,
    });
    assertFinite(tensor, entry.name, { step: reduced.step, stage: rule.stage });
    if (rule.emaDecay !== null) updateAverage(tensor, { stage: rule.stage.index, decay: rule.emaDecay });
  }
  return { learningRate, gradientNorm, penalty };
}

function stateOf(state: TrainState, { name }: LayoutEntry): TensorState {
  const tensor = state.get(name);
  invariant(tensor !== undefined, `${name} is trained but not in the state`);
  return tensor;
}

function scaleInto(
  gradient: Float64Array,
  entry: LayoutEntry,
  from: { reduced: ReducedGradient; exponent: number },
): void {
  const { sums, weight } = from.reduced;
  const scale = 2 ** -from.exponent;
  for (let i = entry.offset; i < entry.offset + entry.length; i++) {
    gradient[i] = Math.fround(((sums[i] as number) * scale) / weight);
  }
}

/** Adds the penalties' gradients and returns their value. */
function addPenalties(
  gradient: Float64Array,
  { name, offset, length }: LayoutEntry,
  { state, rule, role }: { state: TensorState; rule: UpdateRule; role: WeightRole },
): number {
  const l2 = role === 'kernel' ? rule.l2 : 0;
  if (l2 === 0 && rule.l2sp === 0) return 0;
  const anchor = rule.pretrained.get(name)?.data;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const w = state.value[i] as number;
    const away = w - (anchor ? (anchor[i] as number) : 0);
    gradient[offset + i] = (gradient[offset + i] as number) + l2 * w + rule.l2sp * away;
    value += l2 * w * w + rule.l2sp * away * away;
  }
  return value / 2;
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * (values[i] as number);
  return sum;
}

/** Slots too: an infinite one would stop its tensor without a word. */
function assertFinite(
  { value, slots }: TensorState,
  tensor: string,
  { step, stage }: { step: number; stage: UpdateRule['stage'] },
): void {
  const unsound = allFinite(value) ? [...slots].find(([, slot]) => !allFinite(slot))?.[0] : 'value';
  if (unsound === undefined) return;
  const what = unsound === 'value' ? tensor : `the optimizer's ${unsound} of ${tensor}`;
  throw new ThawError(
    'NonFinite',
    `stage "${stage.name}", step ${step}: ${what} became NaN or infinite; lower the learningRate or set gradientClip`,
    { data: { stage: stage.index, step, tensor } },
  );
}

/** A product with zero is zero, but for NaN and infinity. */
function allFinite(values: Float32Array): boolean {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += (values[i] as number) * 0;
  return zero === 0;
}
