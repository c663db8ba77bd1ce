// Known schedules as stages. A preset is nothing but shorthand: `thaw plan` shows what it became.

import type { z } from 'zod';
import type { stageSchema } from './schema/stage.ts';

export type StageInput = z.input<typeof stageSchema>;
export type Preset = 'linear-probe' | 'lp-ft' | 'ulmfit' | 'fastai' | 'full' | 'auto';

export interface PresetOptions {
  /** Epochs of each stage. */
  readonly epochs: number | undefined;
  /** The optimizer's rate. */
  readonly learningRate: number;
  /** Number of backbone blocks with something to train. */
  readonly blocks: number;
}

const head = 'head/**';
const everything = [head, 'backbone/**'];
const plateau = { metric: 'loss', patience: 3 } as const;
/** Lee et al. find one to three of a network's parts enough, which ones depends on the data. */
const rankedStagesMax = 3;

export function presetStages(preset: Preset, { epochs, learningRate, blocks }: PresetOptions): StageInput[] {
  switch (preset) {
    case 'linear-probe':
      return [{ name: 'head', trainable: [head], epochs: epochs ?? 20, advanceOn: plateau }];
    // Kumar et al., ICLR 2022: the head to convergence, then everything at a tenth.
    case 'lp-ft':
      return [
        { name: 'head', trainable: [head], epochs: epochs ?? 20, advanceOn: plateau },
        {
          name: 'all',
          trainable: everything,
          epochs: epochs ?? 20,
          advanceOn: plateau,
          onEnter: 'restoreBest',
          learningRate: learningRate / 10,
        },
      ];
    // Howard & Ruder, ACL 2018: one more block a stage, rates falling by 2.6 a block, slanted triangles.
    case 'ulmfit':
      return Array.from({ length: blocks + 1 }, (_, thawed) => ({
        name: thawed === 0 ? 'head' : `last-${thawed}`,
        trainable: thawed === 0 ? [head] : [head, `last(${thawed})`],
        epochs: epochs ?? 1,
        curve: 'slantedTriangular',
        layerDecay: 1 / 2.6,
      }));
    // fastai's fine_tune: one epoch of the head, then one cycle over all at half the rate, which falls to a hundredth at the
    // input. Its cycles are other ones (rising for 99 % of the first; from a fifth in the second), and move momentum too.
    case 'fastai':
      return [
        { name: 'frozen', trainable: [head], epochs: 1, curve: 'oneCycle' },
        {
          name: 'all',
          trainable: everything,
          epochs: epochs ?? 5,
          curve: 'oneCycle',
          learningRate: learningRate / 2,
          layerDecay: 0.01 ** (1 / Math.max(1, blocks)),
        },
      ];
    // Lee et al., ICLR 2023 (surgical fine-tuning, Auto-RGN): the head to convergence, then blocks by relative gradient.
    case 'auto':
      return [
        { name: 'head', trainable: [head], epochs: epochs ?? 20, advanceOn: plateau },
        ...Array.from(
          { length: Math.min(rankedStagesMax, blocks) },
          (_, index): StageInput => ({
            name: `ranked-${index + 1}`,
            trainable: [head, `ranked(${index + 1})`],
            epochs: epochs ?? 20,
            advanceOn: plateau,
            onEnter: 'restoreBest',
            learningRate: learningRate / 10,
          }),
        ),
      ];
    case 'full':
      return [{ name: 'all', trainable: everything, epochs: epochs ?? 10, advanceOn: plateau }];
  }
}
