import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSize } from '@thaw/common/data/block-size.ts';
import { epochOrder, microBatchRows } from '@thaw/common/data/epoch-order.ts';
import type { Mixing } from '@thaw/common/job/resolved-job.ts';
import { noStatistics, type StatisticsLayout } from '@thaw/common/model/batch-statistics.ts';
import { tensorLayout } from '@thaw/common/model/tensor-layout.ts';
import { stepsPerEpoch } from '@thaw/common/schedule/steps.ts';
import { fixedPointScale, notANumber, sumVectors } from '@thaw/proto/frames/announcement.ts';
import type { EpochSums__Output } from '@thaw/proto/gen/thaw/v1/EpochSums.ts';
import type { Train__Output } from '@thaw/proto/gen/thaw/v1/Train.ts';
import type { SampleRef } from '../cache/level.ts';
import { programSource } from '../cache/program-source.ts';
import type { Collective, Generation, ShardContribution, StepResult } from '../collective/collective.ts';
import type { CommsLink } from '../comms/comms-link.ts';
import { newBoardBuffer, progressBoard } from '../comms/progress-board.ts';
import type { MicroBatch, StageProgram } from '../engine/engine.ts';
import { type EpochWork, trainEpoch } from './epoch.ts';
import type { JobContext } from './job-context.ts';
import type { Snapshots, StepDone } from './snapshots.ts';
import type { StageRuntime } from './stage-runtime.ts';

const microBatch = 4;
const shards = [
  Uint32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  Uint32Array.from([10, 11, 12, 13, 14, 15, 16, 17, 18]),
];
const perEpoch = stepsPerEpoch(
  shards.map(({ length }) => length),
  microBatch,
);
const seed = 3;
const layout = tensorLayout([{ name: 'head/kernel', shape: [2] }]);

interface Options {
  readonly onNonFinite?: 'fail' | 'skipStep';
  readonly bad?: readonly number[];
  readonly steps?: readonly [first: number, last: number];
  readonly classWeights?: readonly number[] | null;
  readonly mixup?: Mixing | null;
  readonly cutmix?: Mixing | null;
  readonly moved?: StatisticsLayout;
  /** Lays something over what the members agreed on. */
  readonly agreed?: (step: number) => Partial<StepResult>;
  /** The sums of the epoch's steps before the first one. */
  readonly soFar?: EpochSums__Output;
  /** The plan that this member knows of after each step, and what all have acknowledged. */
  readonly plan?: (step: number) => number;
  /** Ids of the validation set. */
  readonly validation?: readonly string[];
  readonly views?: number;
  readonly stageEpochs?: number;
}

/** An epoch of one member over one-byte images, whose loss is 0.5 a sample, with everything that it did written down. */
function anEpoch(options: Options = {}) {
  const { onNonFinite = 'fail', bad = [], steps = [1, perEpoch], moved = noStatistics } = options;
  const { classWeights = null, agreed = () => ({}), validation = [], views = 1, stageEpochs = 1 } = options;
  const seen = { loaded: [] as number[], order: [] as string[], batches: [] as MicroBatch[], applied: [] as number[] };
  const { mixup = null, cutmix = null } = options;
  const contributed: (readonly ShardContribution[])[] = [];
  const board = progressBoard(newBoardBuffer());
  const program = {
    partition: { boundary: ['input'], boundaryFloats: 1 },
    features: (pixels: Uint8Array) => Float32Array.from(pixels),
    gradients(batch: MicroBatch, gradient: Float32Array) {
      seen.batches.push(batch);
      gradient.fill(1);
      const count = batch.weights.reduce((sum, weight) => sum + weight, 0);
      return { loss: count / 2, correct: 1 };
    },
  } as unknown as StageProgram;
  const loadBlock = async (refs: readonly SampleRef[]) => {
    seen.loaded.push(...refs.map(({ index }) => index));
    seen.order.push(...refs.map(({ set, view }) => `${set} ${view}`));
    const pixels = new Uint8Array(blockSize);
    for (const [row, { index }] of refs.entries()) pixels[row] = index;
    return { pixels, present: refs.map(({ index }) => !bad.includes(index)) };
  };
  const features = programSource({
    program,
    memoryBytes: 1e6,
    blockSize,
    board,
    checkpoint: async () => {},
    loadBlock,
  });
  const collective = {
    gradientBuffer: () => new Float32Array(layout.length),
    async exchange({ step, shards: local, acknowledgedPlan }) {
      contributed.push(local);
      const total = (field: 'count' | 'weight' | 'loss' | 'correct') =>
        local.reduce((sum, contribution) => sum + contribution[field], 0);
      return {
        step,
        sums: new Int32Array(layout.length),
        exponents: new Int32Array(1),
        weight: total('weight'),
        count: total('count'),
        loss: total('loss'),
        correct: total('correct'),
        nonFinite: [],
        statistics: sumVectors(local.map(({ statistics = new BigInt64Array(0) }) => statistics)),
        seconds: { announce: 0, reduce: 0 },
        bytes: { sent: 1, received: 2 },
        acknowledgedPlan,
        ...agreed(step),
      };
    },
  } as Partial<Collective> as Collective;
  const runtime = {
    stage: { name: 'head', microBatch, learningRate: 1, warmupSteps: 0, curve: 'constant' },
    program,
    layout,
    features,
    loadBlock,
    grids: { picture: { offset: 0, height: 1, width: 1, channels: 1 }, boundary: [] },
    stepsPerEpoch: perEpoch,
    stageSteps: stageEpochs * perEpoch,
    statistics: { moved, adapted: noStatistics },
    measure: (_: Float32Array, samples: number) => (moved.length > 0 ? BigInt64Array.of(BigInt(samples), 1n) : null),
    apply({ step }: StepResult, learningRate: number) {
      seen.applied.push(step);
      return { learningRate, gradientNorm: 1, penalty: 0.25 };
    },
  } as unknown as StageRuntime;
  const link = {
    board,
    check: () => {},
    interruptible: (work: Promise<unknown>) => work,
    observe: () => {},
  } as unknown as CommsLink;
  const rows = Array.from({ length: 19 }, (_, i) => i);
  const context = {
    job: { train: { seed, onNonFinite, classWeights, mixup, cutmix }, data: { views } },
    manifest: {
      sets: { train: { ids: rows.map((i) => `sample ${i}`), labels: rows }, validation: { ids: validation } },
    },
    shards,
  } as unknown as JobContext;
  const members = [{ incarnation: '0', name: 'trainer-0' }];
  const generation: Generation = { number: 1, members, shardOwners: [0, 0], firstStep: 1 };
  const directive = aDirective(steps, options.soFar);
  const done: StepDone[] = [];
  const snapshots: Snapshots = {
    known: () => options.plan?.(done.length + 1) ?? 0,
    afterStep: async (step) => void done.push(step),
  };
  const places: (readonly [step: number, samples: number])[] = [];
  const applied: EpochWork['applied'] = (step, { count }) => void places.push([step, Number(count)]);
  const of = { directive, term: 1, revision: 1, generation, self: 0, context, runtime, collective, link };
  return { trained: trainEpoch({ ...of, snapshots, applied }), seen, contributed, board, done, places };
}

test('an epoch that is taken up again after any step takes the same samples to the same sums', async () => {
  const whole = anEpoch();
  const { seconds: _, reducedBytes: __, ...sums } = await whole.trained;
  for (const { step, sums: soFar } of whole.done) {
    const rest = anEpoch({ steps: [step + 1, perEpoch], soFar: soFar as EpochSums__Output });
    const { seconds: _s, reducedBytes: _r, ...found } = await rest.trained;
    assert.deepEqual(found, sums);
    const taken = shards.length * (perEpoch - step);
    assert.deepEqual(
      rest.seen.batches.map(({ sampleIds }) => sampleIds),
      taken === 0 ? [] : whole.seen.batches.slice(-taken).map(({ sampleIds }) => sampleIds),
    );
  }
  assert.equal(whole.done.length, perEpoch);
});

test('each step says which plan all members know, and the last one who stores the end', async () => {
  const { trained, done } = anEpoch({ plan: (step) => (step < 2 ? 0 : 4) });
  await trained;
  assert.deepEqual(
    done.map(({ step, acknowledgedPlan, endStoredBy }) => [step, acknowledgedPlan, endStoredBy]),
    [
      [1, 0, null],
      [2, 4, null],
      [3, 4, 0],
    ].slice(0, perEpoch),
  );
});

test('a member that is halted knows the last step that it applied, and the sums up to it', async () => {
  const { trained, done, places } = anEpoch({ steps: [2, perEpoch] });
  await trained;
  assert.deepEqual(
    places,
    done.map(({ step, sums }) => [step, Number(sums.count)]),
  );
  assert.deepEqual(
    places.map(([step]) => step),
    Array.from({ length: perEpoch - 1 }, (_, i) => i + 2),
  );
  assert.equal(places.at(-1)?.[1], (await trained).count);
});

function aDirective([firstStep, lastStep]: readonly [number, number], soFar: EpochSums__Output | null = null) {
  const rest = { stage: 2, epoch: 5, stageFirstStep: 1, epochFirstStep: 1, snapshotMember: 0 };
  return { ...rest, firstStep, lastStep, soFar } as Train__Output;
}

/** Samples of the first `steps` steps, by the rule itself. */
function samplesOf(steps: number): number[] {
  return shards.flatMap((rows, shard) => {
    const order = epochOrder({ seed, epoch: 5, shard, rows });
    return Array.from({ length: steps }, (_, stepInEpoch) =>
      Array.from(microBatchRows({ order, stepInEpoch, stepsPerEpoch: perEpoch })),
    ).flat();
  });
}

const ascending = (a: number, b: number): number => a - b;

test('an epoch takes every sample once, in micro-batches padded with weight 0', async () => {
  const { trained, seen } = anEpoch();
  const { count, lossSum, penaltySum, stepsSkipped, reducedBytes } = await trained;
  assert.deepEqual(
    seen.batches.flatMap(({ sampleIds }) => sampleIds).sort(),
    samplesOf(perEpoch)
      .map((i) => `sample ${i}`)
      .sort(),
  );
  assert.ok(seen.batches.every(({ weights, labels }) => weights.length === microBatch && labels.length === microBatch));
  assert.deepEqual([count, stepsSkipped, reducedBytes], [19, 0, 3 * perEpoch]);
  assert.equal(lossSum, 19 * 0.5 * fixedPointScale);
  assert.equal(penaltySum, perEpoch * 0.25 * fixedPointScale);
});

for (const steps of [1, 2]) {
  test(`an epoch of ${steps} of ${perEpoch} steps loads the samples of these and no others`, async () => {
    const { trained, seen } = anEpoch({ steps: [1, steps] });
    await trained;
    assert.deepEqual(seen.loaded.sort(ascending), samplesOf(steps).sort(ascending));
    assert.ok(seen.loaded.length < 19);
  });
}

test('a stage begins with every view that its epochs will use, and with what validates it', async () => {
  const { trained, seen } = anEpoch({ views: 3, stageEpochs: 2, validation: ['a', 'b'] });
  await trained;
  // Epoch 5 uses view 2, epoch 6 view 0; view 1 is left to later stages.
  const runs = seen.order.filter((what, i) => what !== seen.order[i - 1]);
  assert.deepEqual(runs, ['train 2', 'validation 0', 'train 0']);
  assert.equal(seen.order.length, 19 + 2 + 19);
});

test('a bad sample keeps its row with weight 0 and counts nowhere', async () => {
  const [bad = -1] = samplesOf(1);
  const { trained, seen, contributed } = anEpoch({ bad: [bad] });
  const { count } = await trained;
  assert.equal(count, 18);
  const batch = seen.batches.find(({ sampleIds }) => sampleIds.includes(`sample ${bad}`));
  assert.equal(batch?.sampleIds[0], `sample ${bad}`);
  assert.deepEqual([...(batch?.weights ?? [])], [0, 1, 1, 0]);
  const [ofFirstStep] = contributed;
  assert.deepEqual(
    ofFirstStep?.map(({ count, weight }) => [count, weight]),
    [
      [2, 2],
      [3, 3],
    ],
  );
});

test('class weights weigh the samples, and the sum is still divided by their number', async () => {
  const classWeights = Array.from({ length: 19 }, (_, label) => 0.5 + label);
  const { trained, seen, contributed } = anEpoch({ classWeights });
  assert.equal((await trained).count, 19);
  for (const { labels, weights, sampleIds } of seen.batches) {
    assert.deepEqual(
      [...weights.subarray(0, sampleIds.length)],
      [...labels.subarray(0, sampleIds.length)].map((label) => 0.5 + label),
    );
    assert.ok(weights.subarray(sampleIds.length).every((weight) => weight === 0));
  }
  for (const { weight, count } of contributed.flat()) assert.equal(weight, count);
});

for (const at of ['boundary', 'pixels'] as const) {
  test(`mixup at the ${at} blends features, classes and weights of partners alike, but of no bad sample`, async () => {
    const [bad = -1] = samplesOf(1);
    const classWeights = Array.from({ length: 19 }, (_, label) => 1 + label);
    const { trained, seen } = anEpoch({ mixup: { alpha: 5, at }, bad: [bad], classWeights });
    assert.equal((await trained).count, 18);
    let blended = 0;
    for (const { features, labels, weights, mixed, sampleIds } of seen.batches) {
      assert.ok(mixed);
      // The only feature of a sample is its number, and so is its class.
      for (const [row, id] of sampleIds.entries()) {
        const own: number = labels[row] ?? -1;
        const other: number = mixed.labels[row] ?? -1;
        assert.equal(id, `sample ${own}`);
        if (own === bad) assert.deepEqual([features[row], weights[row], other], [0, 0, bad]);
        else {
          assert.notEqual(other, bad);
          const mean = mixed.share * own + (1 - mixed.share) * other;
          assert.ok(Math.abs((features[row] as number) - mean) <= (at === 'pixels' ? 0.5 : 1e-5));
          assert.ok(Math.abs((weights[row] as number) - (1 + mean)) < 1e-5);
          blended += own === other ? 0 : 1;
        }
      }
    }
    assert.ok(blended > 5, `${blended} samples are blended`);
    const again = anEpoch({ mixup: { alpha: 5, at }, bad: [bad], classWeights });
    await again.trained;
    assert.deepEqual(again.seen.batches, seen.batches);
  });
}

test('micro-batches with mixed pixels decode their samples once a step, and fill no cache', async () => {
  const { trained, seen } = anEpoch({ mixup: { alpha: 1, at: 'boundary' }, cutmix: { alpha: 1, at: 'pixels' } });
  await trained;
  assert.deepEqual(
    seen.loaded.toSorted(ascending),
    Array.from({ length: 19 }, (_, i) => i),
  );
});

test('a micro-batch of bad samples only gives zero, and is not computed', async () => {
  const bad = samplesOf(1).slice(0, 3);
  const { trained, seen, contributed } = anEpoch({ bad });
  assert.equal((await trained).count, 16);
  assert.deepEqual(contributed[0]?.[0], { shard: 0, count: 0, weight: 0, loss: 0, correct: 0 });
  assert.equal(seen.batches.length, 2 * perEpoch - 1);
});

const normalization: StatisticsLayout = {
  entries: [
    {
      path: 'head/bn',
      mean: 'head/bn/moving_mean',
      variance: 'head/bn/moving_variance',
      ...{ channels: 1, offset: 0, valuesPerSample: 1, momentum: 0.9, epsilon: 1e-3 },
    },
  ],
  length: 2,
};

test('every shard says its statistics, one without a sample as many zeros', async () => {
  const { trained, contributed } = anEpoch({ moved: normalization, bad: samplesOf(1).slice(0, 3) });
  await trained;
  assert.deepEqual(
    contributed[0]?.map(({ statistics }) => statistics),
    [BigInt64Array.of(0n, 0n), BigInt64Array.of(3n, 1n)],
  );
});

const unsound = { statistics: BigInt64Array.of(notANumber, 1n) };

const notFinite: readonly {
  readonly what: string;
  readonly agreed: Partial<StepResult>;
  readonly said: RegExp;
  readonly tensor?: string;
}[] = [
  { what: 'a loss of NaN', agreed: { loss: Number.NaN }, said: /^stage "head", step 2: the loss holds NaN/ },
  {
    what: 'an endless loss',
    agreed: { loss: Number.POSITIVE_INFINITY },
    said: /^stage "head", step 2: the loss holds/,
  },
  {
    what: 'a gradient',
    agreed: { nonFinite: [0] },
    said: /step 2: the gradient of head\/kernel holds NaN/,
    tensor: 'head/kernel',
  },
  {
    what: 'a batch statistic',
    agreed: unsound,
    said: /^stage "head", step 2: the batch statistics of head\/bn holds NaN/,
    tensor: 'head/bn',
  },
  {
    what: 'a gradient and the loss',
    agreed: { nonFinite: [0], loss: Number.NaN },
    said: /step 2: the gradient of head\/kernel and 1 more holds NaN/,
    tensor: 'head/kernel',
  },
];

for (const { what, agreed, said, tensor } of notFinite) {
  const inStep2 = (step: number): Partial<StepResult> => (step === 2 ? agreed : {});

  test(`${what} that is not finite fails with its stage and step, and is not applied`, async () => {
    const { trained, seen } = anEpoch({ moved: normalization, agreed: inStep2 });
    await assert.rejects(trained, (thrown: { code?: string; message?: string; data?: object }) => {
      assert.equal(thrown.code, 'NonFinite');
      assert.match(thrown.message ?? '', said);
      assert.deepEqual(thrown.data, { stage: 2, step: 2, tensor });
      return true;
    });
    assert.deepEqual(seen.applied, [1]);
  });

  test(`${what} that is not finite is left out when steps may be skipped`, async () => {
    const { trained, seen, contributed, board } = anEpoch({
      moved: normalization,
      onNonFinite: 'skipStep',
      agreed: inStep2,
    });
    const { count, lossSum, stepsSkipped } = await trained;
    const skipped = (contributed[1] ?? []).reduce((sum, contribution) => sum + contribution.count, 0);
    assert.deepEqual([count, lossSum, stepsSkipped], [19 - skipped, ((19 - skipped) / 2) * fixedPointScale, 1]);
    assert.deepEqual(seen.applied, [1, 3]);
    assert.equal(board.get('loss'), 0.75);
  });
}

test('a skipped last step leaves the loss that was measured on the board', async () => {
  const agreed = (step: number): Partial<StepResult> => (step === perEpoch ? { loss: Number.NaN } : {});
  const { trained, board } = anEpoch({ onNonFinite: 'skipStep', agreed });
  await trained;
  assert.equal(board.get('loss'), 0.75);
});

test('an epoch of skipped steps only fails, and reports no loss', async () => {
  const { trained } = anEpoch({ onNonFinite: 'skipStep', agreed: () => ({ loss: Number.NaN }) });
  await assert.rejects(trained, {
    code: 'NonFinite',
    message: /^stage "head", steps 1 to 3: all 3 were skipped, because a loss or gradient held NaN/,
  });
});

test('an epoch of bad samples only fails, and reports no loss', async () => {
  const { trained } = anEpoch({ bad: samplesOf(perEpoch) });
  await assert.rejects(trained, {
    code: 'TooManyBadSamples',
    message: /steps 1 to 3: all 3 were skipped, because no sample/,
  });
});

test('losses that no longer add up exactly have diverged', async () => {
  const { trained } = anEpoch({ agreed: () => ({ loss: 2 ** 28 }) });
  await assert.rejects(trained, {
    code: 'NonFinite',
    message: /^stage "head", step 2: the losses of this epoch add up to 536870912; expected less than 536870911\.9/,
  });
});
