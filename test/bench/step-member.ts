// One trainer of the step benchmark: engine, collective and update rule of a real one, fed with random pixels. All members
// begin each step together, as training does after an exchange.

import { randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { cacheDirectory } from '@thaw/common/environment/cache-directory.ts';
import type { WeightRole } from '@thaw/common/model/graph.ts';
import { prepareJob } from '@thaw/coordinator/prepare/prepare-job.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import { enterStage, type TrainState } from '@thaw/trainer/train/train-state.ts';
import { applyUpdate, type UpdateRule } from '@thaw/trainer/train/update-rule.ts';
import { startCollectiveThread } from '../support/collective-thread.ts';

export interface StepMemberOptions {
  readonly natsUrl: string;
  readonly self: number;
  readonly members: number;
  /** Holds job.yaml. */
  readonly folder: string;
  readonly warmSteps: number;
  readonly steps: number;
}

/** Milliseconds of each step. */
export interface StepTimes {
  readonly prefix: number[];
  readonly rest: number[];
}

const { natsUrl, self, members, folder, warmSteps, steps } = JSON.parse(process.argv[2] as string) as StepMemberOptions;
const jobText = await readFile(path.join(folder, 'job.yaml'), 'utf8');
const cache = cacheDirectory(process.env);
const prepared = await prepareJob({ jobText, fileName: 'job.yaml', baseDir: folder, cacheDirectory: cache });
const { job, graph, weights, manifest } = prepared;
const [prepared0] = prepared.stages;
if (!prepared0) throw new Error('the job has no stage');
const { stage, trainable } = prepared0;

const engine = await createEngine({ kind: 'tensorflow', threads: 1, gpus: 0 });
const model = engine.loadModel(graph, weights, job.model.preprocessing);
const classes = manifest.classes.length;
const program = model.stageProgram({
  ...{ trainable: trainable.map(({ name }) => name), seed: job.train.seed, blockSize },
  ...{ microBatch: stage.microBatch, classes, loss: job.train.loss },
});
const { layout } = program;
const state: TrainState = new Map();
enterStage(state, trainable, { optimizer: stage.optimizer, reset: false, source: weights });
const roles = new Map(trainable.map(({ name, role }) => [name, role]));
const rule: UpdateRule = {
  optimizer: stage.optimizer,
  rateFactors: layout.entries.map(() => 1),
  roles: layout.entries.map(({ name }) => roles.get(name) as WeightRole),
  ...{ l2: 0, l2sp: 0, pretrained: new Map(), clipNorm: null, emaDecay: null, stage: { index: 0, name: stage.name } },
};
const buffers = { gradient: new Float64Array(layout.length) };

const incarnationOf = (member: number): string => (member + 1).toString(16).padStart(16, '0');
const thread = startCollectiveThread({
  ...{ natsUrl, uid: 'bench', runToken: '00000000000000b1', incarnation: incarnationOf(self), name: `member-${self}` },
});
const { collective } = thread;
await collective.open({
  generation: {
    number: 1,
    firstStep: 1,
    members: Array.from({ length: members }, (_, i) => ({ incarnation: incarnationOf(i), name: `member-${i}` })),
    shardOwners: Array.from({ length: members }, (_, shard) => shard),
  },
  ...{ stage: 0, self, layout, tensorSet: '1'.padStart(64, '0'), shards: members },
});

const { height, width } = job.model.preprocessing;
const pixels = randomFillSync(new Uint8Array(blockSize * height * width * 3));
const labels = Int32Array.from({ length: stage.microBatch }, (_, i) => i % classes);
const present = new Float32Array(stage.microBatch).fill(1);
const sampleIds = Array.from(labels, (_, i) => `sample-${self}-${i}`);
const times: StepTimes = { prefix: [], rest: [] };
for (let step = 1; step <= warmSteps + steps; step++) {
  const start = performance.now();
  const features = program.features(pixels);
  const middle = performance.now();
  const gradient = collective.gradientBuffer(step, self);
  const sums = program.gradients({ features, labels, weights: present, sampleIds, epoch: 0 }, gradient);
  const contribution = { shard: self, count: stage.microBatch, weight: stage.microBatch, ...sums };
  const reduced = await collective.exchange({ step, acknowledgedPlan: 0, shards: [contribution] });
  applyUpdate(state, layout, { rule, reduced, learningRate: stage.learningRate, buffers });
  model.writeWeights(new Map([...state].map(([name, { shape, value }]) => [name, { shape, data: value }])));
  if (step <= warmSteps) continue;
  times.prefix.push(middle - start);
  times.rest.push(performance.now() - middle);
}
process.send?.(times);
await collective.close();
await thread.close();
