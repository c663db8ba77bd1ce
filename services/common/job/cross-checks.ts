// Rules between fields of a job file that need neither model nor data.

import { architectureNames, architectureOf } from '../model/architectures/architectures.ts';
import { rankedCount } from '../model/ranked.ts';
import { warmsUpItself } from '../schedule/learning-rate.ts';
import { nearest } from '../text/nearest.ts';
import type { Problem } from './problems.ts';
import type { JobFile } from './schema/job.ts';

export function crossProblems({ spec }: JobFile): Problem[] {
  return [
    ...trainerProblems(spec),
    ...splitProblems(spec),
    ...augmentProblems(spec),
    ...retentionProblems(spec),
    ...scheduleProblems(spec),
    ...inputProblems(spec),
    ...builtinProblems(spec),
    ...outputProblems(spec),
  ];
}

type Spec = JobFile['spec'];

function outputProblems({ output, train }: Spec): Problem[] {
  if (output.calibrate !== 'temperature' || train.loss?.binaryCrossEntropy === undefined) return [];
  const message =
    'found temperature with the loss binaryCrossEntropy; expected none, because its probabilities come from no softmax';
  return [{ path: ['spec', 'output', 'calibrate'], message }];
}

function trainerProblems({ trainers, data }: Spec): Problem[] {
  const { replicas, min } = trainers;
  const max = trainers.max ?? Math.max(replicas, min);
  const problems: Problem[] = [];
  const at = (key: string, message: string): void => void problems.push({ path: ['spec', 'trainers', key], message });
  if (replicas < min) at('replicas', `found ${replicas}; expected at least trainers.min, which is ${min}`);
  if (replicas > max) at('replicas', `found ${replicas}; expected at most trainers.max, which is ${max}`);
  if (max > data.shards) {
    const key = trainers.max === undefined ? 'replicas' : 'max';
    at(
      key,
      `found ${max} trainers for ${data.shards} shards; expected at most data.shards, because a trainer computes whole shards`,
    );
  }
  if (trainers.engine === 'wasm' || trainers.engine === 'cpu') {
    const { engine, threads, gpus } = trainers;
    if (threads !== 1)
      at('threads', `found ${threads} with engine ${engine}, which computes on one thread; expected 1`);
    if (gpus !== 0) at('gpus', `found ${gpus} with engine ${engine}, which uses no GPU; expected 0`);
  }
  return problems;
}

function splitProblems({ data: { split } }: Spec): Problem[] {
  const path = ['spec', 'data', 'split'];
  const fractions = Object.entries({ train: split.train, validation: split.validation, test: split.test });
  const given = fractions.flatMap(([, value]) => (value === undefined ? [] : [value]));
  const problems: Problem[] = fractions
    .filter(([, value]) => value === 0)
    .map(([set]) => ({
      path: [...path, set],
      message: 'found 0; expected more than 0, because every set needs samples',
    }));
  if (split.folders) return [...problems, ...folderProblems(split)];
  if (given.length > 0 && given.length < 3) {
    problems.push({ path, message: 'found only some of train, validation and test; expected all three' });
  } else if (given.length === 3 && Math.abs(given.reduce((sum, value) => sum + value, 0) - 1) > 1e-6) {
    problems.push({
      path,
      message: `found fractions that add up to ${given.reduce((sum, value) => sum + value, 0)}; expected 1`,
    });
  }
  return problems;
}

function folderProblems({ train, validation, test, group, folders }: Spec['data']['split']): Problem[] {
  const path = ['spec', 'data', 'split'];
  const problems: Problem[] = [];
  if ([train, validation, test].some((value) => value !== undefined)) {
    problems.push({ path, message: 'found fractions and folders; expected one of the two' });
  }
  if (group !== undefined) {
    const message = `found "${group}" beside folders, which divide the samples already; expected no group`;
    problems.push({ path: [...path, 'group'], message });
  }
  const sets = new Map<string, string>();
  for (const [set, source] of Object.entries(folders ?? {})) {
    const other = sets.get(source);
    if (other !== undefined) {
      const message = `found the source of ${other} again; expected samples of its own`;
      problems.push({ path: [...path, 'folders', set], message });
    }
    sets.set(source, set);
  }
  return problems;
}

function retentionProblems({ retention }: Spec): Problem[] {
  if (retention?.onExceed === undefined || retention.maxDrop !== undefined) return [];
  const path = ['spec', 'retention', 'onExceed'];
  return [{ path, message: `found ${retention.onExceed} without maxDrop; expected maxDrop beside it` }];
}

function augmentProblems({ data: { augment, views } }: Spec): Problem[] {
  const path = ['spec', 'data', 'augment'];
  const problems: Problem[] = [];
  const crops = [...augment.entries()].filter(([, { crop }]) => crop !== undefined);
  for (const [index] of crops.slice(1)) {
    problems.push({ path: [...path, index], message: 'found a second crop; expected at most one' });
  }
  for (const [index, { crop }] of crops) {
    for (const key of ['area', 'aspect'] as const) {
      const [low = 0, high = 0] = crop?.[key] ?? [];
      if (low <= high) continue;
      problems.push({
        path: [...path, index, 'crop', key],
        message: `found ${low} before ${high}; expected the smaller first`,
      });
    }
  }
  if (views > 1 && augment.length === 0) {
    problems.push({
      path: ['spec', 'data', 'views'],
      message: `found ${views} without augment; every view would be the same, expected 1`,
    });
  }
  return problems;
}

function scheduleProblems({ train }: Spec): Problem[] {
  const { schedule } = train;
  const path = ['spec', 'train', 'schedule'];
  if ((schedule.preset === undefined) === (schedule.stages === undefined)) {
    const found = schedule.preset === undefined ? 'neither' : 'both';
    return [{ path, message: `found ${found} of preset and stages; expected exactly one` }];
  }
  const problems: Problem[] = [];
  if (schedule.stages && schedule.epochs !== undefined) {
    problems.push({ path: [...path, 'epochs'], message: 'belongs to a preset; give each stage its own epochs' });
  }
  const names = new Set<string>();
  for (const [index, stage] of (schedule.stages ?? []).entries()) {
    const stagePath = [...path, 'stages', index];
    if ((stage.epochs === undefined) === (stage.steps === undefined)) {
      const found = stage.epochs === undefined ? 'neither' : 'both';
      problems.push({ path: stagePath, message: `found ${found} of epochs and steps; expected exactly one` });
    }
    if (index === 0 && stage.onEnter === 'restoreBest') {
      const message = 'found restoreBest in the first stage; expected continue, because there is no stage before it';
      problems.push({ path: [...stagePath, 'onEnter'], message });
    }
    const { warmup, curve } = stage;
    if (warmup > 0 && warmsUpItself(curve)) {
      const message = `found ${warmup} with the curve ${curve}, which warms up itself; expected 0, or another curve`;
      problems.push({ path: [...stagePath, 'warmup'], message });
    }
    problems.push(...rankedProblems(stage, index, stagePath));
    const { metric, mode } = stage.advanceOn ?? {};
    const right = metric === 'loss' ? 'min' : 'max';
    if (metric && mode && mode !== right) {
      const message = `found ${mode} for ${metric}; expected ${right}, because a ${right === 'min' ? 'smaller' : 'larger'} ${metric} is better`;
      problems.push({ path: [...stagePath, 'advanceOn', 'mode'], message });
    }
    if (names.has(stage.name))
      problems.push({ path: [...stagePath, 'name'], message: `found "${stage.name}" twice; names are unique` });
    names.add(stage.name);
  }
  return problems;
}

type Stage = NonNullable<Spec['train']['schedule']['stages']>[number];

function rankedProblems({ trainable, batchNorm }: Stage, index: number, path: Problem['path']): Problem[] {
  const at = trainable.findIndex((pattern) => rankedCount([pattern]) !== null);
  if (at < 0) return [];
  const problems: Problem[] = [];
  if (index === 0) {
    const message = `found ${trainable[at]} in the first stage; expected a stage before it, with whose weights blocks are measured`;
    problems.push({ path: [...path, 'trainable', at], message });
  }
  if (batchNorm !== 'frozen') {
    const message = `found ${batchNorm} beside ${trainable[at]}; expected frozen, because the layers are not known before they are measured`;
    problems.push({ path: [...path, 'batchNorm'], message });
  }
  return problems;
}

function inputProblems({ model }: Spec): Problem[] {
  const { input } = model;
  const problems: Problem[] = [];
  if (input?.preset && (input.range ?? input.mean ?? input.std ?? input.channels)) {
    problems.push({
      path: ['spec', 'model', 'input', 'preset'],
      message: 'found a preset beside range, mean, std or channels; expected one way',
    });
  }
  const [low = 0, high = 255] = input?.range ?? [];
  if (low >= high) {
    const message = `found ${low} to ${high}; expected the value of byte 0, then a larger one for byte 255`;
    problems.push({ path: ['spec', 'model', 'input', 'range'], message });
  }
  if (input?.size && (input.height ?? input.width)) {
    problems.push({
      path: ['spec', 'model', 'input', 'size'],
      message: 'found size beside height or width; expected one way',
    });
  }
  if ((input?.height === undefined) !== (input?.width === undefined)) {
    problems.push({ path: ['spec', 'model', 'input'], message: 'found only one of height and width; expected both' });
  }
  return problems;
}

function builtinProblems({ model: { source, weights, input } }: Spec): Problem[] {
  const path = ['spec', 'model'];
  if (!source.startsWith('builtin:')) {
    const message = `found weights beside ${source}, which has its own; expected none, or source: builtin:NAME`;
    return weights ? [{ path: [...path, 'weights'], message }] : [];
  }
  const name = source.slice('builtin:'.length);
  const architecture = architectureOf(name);
  if (!architecture) {
    const [near] = nearest(name, architectureNames);
    const hint = near ? ` (did you mean "builtin:${near}"?)` : '';
    const known = architectureNames.map((one) => `builtin:${one}`).join(', ');
    return [{ path: [...path, 'source'], message: `found "${source}"; expected ${known}${hint}` }];
  }
  const problems: Problem[] = weights ? [] : [{ path, message: weightsMissing(source) }];
  for (const key of ['size', 'height', 'width'] as const) {
    const size = input?.[key] ?? architecture.size;
    if (size >= architecture.sizeMin) continue;
    problems.push({
      path: [...path, 'input', key],
      message: `found ${size}; expected at least ${architecture.sizeMin}, the smallest picture of ${source}`,
    });
  }
  return problems;
}

function weightsMissing(source: string): string {
  return (
    `found ${source} without weights, and none come with Thaw; expected weights: {source: file:PATH} ` +
    'with a Keras, safetensors or tfjs file, or weights: {none: {}} to start from random ones'
  );
}
