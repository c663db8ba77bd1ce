// Files that a model is often published as and that cannot be opened as one, refused by what they are and what to do.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

/** `location`: without its scheme. Throws NotSupported. */
export function refuseByName(location: string): void {
  const refusal = refusals.find(([ending]) => ending.test(location))?.[1];
  if (refusal !== undefined) throw new ThawError('NotSupported', `spec.model.source: file:${location}: ${refusal}`);
}

const refusals: readonly (readonly [ending: RegExp, message: string])[] = [
  [
    /\.(pt|pth|bin|ckpt|pkl)$/i,
    'found a PyTorch pickle, which runs code when it is opened; expected safetensors, which Python makes of it: ' +
      'safetensors.torch.save_file(torch.load(FILE, weights_only=True), "model.safetensors")',
  ],
  [
    /\.safetensors$/i,
    'found weights without a network; expected builtin:NAME as model.source, and the file as model.weights.source',
  ],
];
