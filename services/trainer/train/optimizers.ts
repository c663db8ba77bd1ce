// The optimizers, as Keras 3 defines them. Each updates one tensor in place: computed in float64, rounded to float32
// once per stored number, element by element, so that every machine gives the same bits.

import { assertNever } from '@thaw/common/errors/thaw-error.ts';
import type { Optimizer } from '@thaw/common/job/resolved-job.ts';

export interface TensorUpdate {
  /** [length], changed in place. */
  readonly value: Float32Array;
  /** [length] each, changed in place. */
  readonly slots: ReadonlyMap<string, Float32Array>;
  /** This update's number, from 1. */
  readonly update: number;
  /** [length], penalties and clipping included. */
  readonly gradient: Float64Array;
  readonly learningRate: number;
  /** Decoupled decay (Loshchilov & Hutter, ICLR 2019); 0 for biases and normalisation. */
  readonly decay: number;
}

/** Slots that an optimizer keeps for every tensor. Equal names mean equal contents, so that a later stage may keep them. */
export function slotNames(optimizer: Optimizer): readonly string[] {
  switch (optimizer.kind) {
    case 'sgd':
      return [];
    case 'momentum':
      return ['velocity'];
    case 'adam':
    case 'adamw':
      return ['m', 'v'];
    case 'rmsprop':
      return optimizer.momentum > 0 ? ['meanSquare', 'step'] : ['meanSquare'];
    default:
      return assertNever(optimizer, 'optimizer');
  }
}

export function decayOf(optimizer: Optimizer): number {
  return optimizer.kind === 'adamw' ? optimizer.weightDecay : 0;
}

export function updateTensor(optimizer: Optimizer, update: TensorUpdate): void {
  switch (optimizer.kind) {
    case 'sgd':
      sgd(update);
      return;
    case 'momentum':
      momentum(update, optimizer);
      return;
    case 'adam':
    case 'adamw':
      adam(update, optimizer);
      return;
    case 'rmsprop':
      rmsprop(update, optimizer);
      return;
    default:
      assertNever(optimizer, 'optimizer');
  }
}

function sgd({ value, gradient, learningRate, decay }: TensorUpdate): void {
  for (let i = 0; i < value.length; i++) {
    const w = value[i] as number;
    value[i] = w - learningRate * (gradient[i] as number) - learningRate * decay * w;
  }
}

/** Velocity as in Keras: v = momentum * v - rate * g; w += v, or w += momentum * v - rate * g with Nesterov. */
function momentum(update: TensorUpdate, { momentum, nesterov }: { momentum: number; nesterov: boolean }): void {
  const { value, slots, gradient, learningRate, decay } = update;
  const velocity = slots.get('velocity') as Float32Array;
  for (let i = 0; i < value.length; i++) {
    const w = value[i] as number;
    const step = learningRate * (gradient[i] as number);
    const v = momentum * (velocity[i] as number) - step;
    velocity[i] = v;
    value[i] = w + (nesterov ? momentum * v - step : v) - learningRate * decay * w;
  }
}

/** Kingma & Ba, ICLR 2015, with Keras' placement of epsilon. */
function adam(
  update: TensorUpdate,
  { beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number },
): void {
  const { value, slots, gradient, learningRate, decay } = update;
  const first = slots.get('m') as Float32Array;
  const second = slots.get('v') as Float32Array;
  const rate = (learningRate * Math.sqrt(1 - powerOf(beta2, update.update))) / (1 - powerOf(beta1, update.update));
  for (let i = 0; i < value.length; i++) {
    const w = value[i] as number;
    const g = gradient[i] as number;
    const m = beta1 * (first[i] as number) + (1 - beta1) * g;
    const v = beta2 * (second[i] as number) + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    value[i] = w - (rate * m) / (Math.sqrt(v) + epsilon) - learningRate * decay * w;
  }
}

/** Hinton's lecture 6e, with Keras' placement of epsilon and momentum. */
function rmsprop(update: TensorUpdate, options: { rho: number; epsilon: number; momentum: number }): void {
  const { value, slots, gradient, learningRate, decay } = update;
  const { rho, epsilon, momentum } = options;
  const second = slots.get('meanSquare') as Float32Array;
  const steps = slots.get('step');
  for (let i = 0; i < value.length; i++) {
    const w = value[i] as number;
    const g = gradient[i] as number;
    const v = rho * (second[i] as number) + (1 - rho) * g * g;
    second[i] = v;
    let step = (learningRate * g) / Math.sqrt(v + epsilon);
    if (steps) {
      step += momentum * (steps[i] as number);
      steps[i] = step;
    }
    value[i] = w - step - learningRate * decay * w;
  }
}

/** base^exponent by squaring: products only, so that it has the same bits in every JavaScript engine. */
function powerOf(base: number, exponent: number): number {
  let power = 1;
  for (let rest = exponent, square = base; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) power *= square;
  }
  return power;
}
