// An epoch's judgement against a second implementation that knows no state: it looks at all values of the stage, from
// the first one, every time. Values are eighths, so that ties and steps of exactly minDelta are met, and are exact.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdvanceRule, Metric } from '@thaw/common/job/resolved-job.ts';
import { metricNames } from '@thaw/common/job/schema/stage.ts';
import fc from 'fast-check';
import { aPlan, aStage, Play } from '../testing/builders.ts';
import type { StagePlan } from './job-plan.ts';
import { type Judgement, judgeEpoch } from './judge.ts';
import type { Metrics, StageRecord } from './state.ts';

interface Verdict {
  /** Whose weights are the stage's best. */
  readonly best: number;
  /** Epochs since the one that patience counts from; null without a rule. */
  readonly stale: number | null;
  readonly ended: 'forgotten' | 'plateau' | 'all steps' | null;
}

interface Validation {
  readonly metrics: Metrics;
  /** What the old task has lost; absent where nobody watches it. */
  readonly drop?: number;
}

const eighths = fc.integer({ min: 0, max: 8 }).map((n) => n / 8);
const maxDrop = 0.5;

const validations = fc.array(
  fc.record({
    metrics: fc.record({ loss: eighths, accuracy: eighths, macroF1: eighths, auc: eighths, count: fc.constant(8) }),
    drop: eighths,
  }),
  { minLength: 1, maxLength: 12 },
);

const rules: fc.Arbitrary<AdvanceRule> = fc.record({
  metric: fc.constantFrom(...metricNames),
  mode: fc.constantFrom('min', 'max'),
  patience: fc.integer({ min: 1, max: 4 }),
  minDelta: fc.constantFrom(0, 0.125, 0.25),
});

const stagePlans: fc.Arbitrary<StagePlan> = fc
  .record({
    stepsPerEpoch: fc.integer({ min: 1, max: 3 }),
    steps: fc.integer({ min: 1, max: 30 }),
    metric: fc.constantFrom(...metricNames),
    advanceOn: fc.option(rules),
  })
  .map(aStage);

/** Judgements of a stage's epochs up to the one that ends it, each with the record that the ones before have left. */
function judged(plan: StagePlan, epochs: readonly Validation[], watched: boolean): Judgement[] {
  const judgements: Judgement[] = [];
  let record = { best: null, plateau: null } as unknown as StageRecord;
  for (const [epoch, { metrics, drop = 0 }] of epochs.entries()) {
    const retention = watched ? { retention: { drop, maxDrop } } : {};
    const judgement = judgeEpoch(plan, record, { epoch, epochInStage: epoch, validation: metrics, ...retention });
    judgements.push(judgement);
    if (judgement.ended !== null) break;
    record = { ...record, best: judgement.best, plateau: judgement.plateau };
  }
  return judgements;
}

/** The oracle, of the last of these epochs. */
function verdictOn(plan: StagePlan, epochs: readonly Validation[], watched: boolean): Verdict {
  const last = epochs.length - 1;
  const forgotten = watched && (epochs[last]?.drop ?? 0) > maxDrop;
  const { advanceOn } = plan;
  const stale = advanceOn ? last - lastImprovement(epochs.map(inTermsOf(advanceOn.metric)), advanceOn) : null;
  const ended = forgotten
    ? 'forgotten'
    : advanceOn && stale === advanceOn.patience
      ? 'plateau'
      : (last + 1) * plan.stepsPerEpoch >= plan.steps
        ? 'all steps'
        : null;
  return { best: bestOf(plan.metric, forgotten && last > 0 ? epochs.slice(0, -1) : epochs), stale, ended };
}

/** The first of those that no other one beats. */
function bestOf(metric: Metric, epochs: readonly Validation[]): number {
  const values = epochs.map(inTermsOf(metric));
  return values.indexOf(metric === 'loss' ? Math.min(...values) : Math.max(...values));
}

/** The first value, and each one that is better by more than minDelta than the last improvement before it. */
function lastImprovement(values: readonly number[], { mode, minDelta }: AdvanceRule): number {
  const gain = (from: number, to: number): number => (mode === 'min' ? from - to : to - from);
  const next = (since: number): number => {
    const found = values.findIndex((value, i) => i > since && gain(values[since] as number, value) > minDelta);
    return found < 0 ? since : next(found);
  };
  return next(0);
}

function inTermsOf(metric: Metric): (epoch: Validation) => number {
  return ({ metrics }) => metrics[metric];
}

const words = [
  ['forgotten', /^the old task's accuracy fell by /],
  ['plateau', / has not improved by .* for \d epochs$/],
  ['all steps', /^all \d+ steps are done$/],
] as const;

function verdictOf({ best, plateau, ended }: Judgement): Verdict {
  const why = words.find(([, text]) => ended !== null && text.test(ended))?.[0] ?? null;
  assert.equal(why === null, ended === null, `${ended}`);
  return { best: best.epoch, stale: plateau?.stale ?? null, ended: why };
}

describe('a judgement', () => {
  it('is that of the whole history: best epoch, patience, end, for every metric, either way, with ties', () => {
    fc.assert(
      fc.property(stagePlans, validations, fc.boolean(), (plan, epochs, watched) => {
        for (const [i, judgement] of judged(plan, epochs, watched).entries()) {
          const history = epochs.slice(0, i + 1);
          assert.deepEqual(verdictOf(judgement), verdictOn(plan, history, watched));
          assert.equal(judgement.isBest, judgement.best.epoch === i);
          assert.equal(judgement.best.value, history[judgement.best.epoch]?.metrics[plan.metric]);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the best epoch', () => {
  for (const metric of metricNames) {
    it(`is the earlier one of two with equal ${metric}, and whose it was is kept`, () => {
      const better = metric === 'loss' ? 0.25 : 0.75;
      const epochs = [0.5, better, better].map((value) => withMetric(metric, value));
      const judgements = judged(aStage({ metric, steps: 40 }), epochs, false);
      assert.deepEqual(
        judgements.map(({ isBest }) => isBest),
        [true, true, false],
      );
      assert.deepEqual(judgements.at(-1)?.best, { epoch: 1, value: better, stored: null });
    });
  }

  it('may be one that does not improve enough to count against patience', () => {
    const advanceOn = { metric: 'accuracy', mode: 'max', patience: 2, minDelta: 0.25 } as const;
    const epochs = [0.5, 0.625, 0.75].map((value) => withMetric('accuracy', value));
    const judgements = judged(aStage({ advanceOn, steps: 40 }), epochs, false);
    assert.deepEqual(
      judgements.map(({ isBest, plateau }) => [isBest, plateau?.stale]),
      [
        [true, 0],
        [true, 1],
        [true, 2],
      ],
    );
    assert.match(judgements.at(-1)?.ended ?? '', /^accuracy has not improved by 0.25 for 2 epochs$/);
  });
});

describe('what a stage begins with', () => {
  const advanceOn = { metric: 'accuracy', mode: 'max', patience: 2, minDelta: 0 } as const;
  const stages = [
    aStage({ name: 'good', steps: 40, advanceOn }),
    aStage({ name: 'worse', steps: 40, advanceOn, onEnter: 'restoreBest' }),
  ];
  // Right answers of ten: epoch 1 is the first stage's best, and epoch 2 its equal. The second stage is worse throughout.
  const script = [5, 9, 9, 8, 3, 4, 4, 4];

  it('is patience of its own and a best epoch of its own, however good the stage before was', () => {
    const play = new Play(aPlan({ stages })).gather(2).playOn(script);
    const [good, worse] = play.state.stages;
    assert.deepEqual([good?.epochsDone, good?.best?.epoch, good?.best?.value], [4, 1, 0.9]);
    assert.deepEqual([worse?.epochsDone, worse?.best?.epoch, worse?.best?.value], [4, 5, 0.4]);
    assert.equal(play.state.test?.epoch, 5);
  });

  it('is the state of the best epoch, the earlier one of two, where it asks for it', () => {
    const play = new Play(aPlan({ stages })).gather(2);
    while (play.state.cursor.stage === 0) play.answer(script);
    assert.equal(play.work('train').train.restoreDigest, `sha256:${(1).toString(16).padStart(64, 'e')}`);
  });
});

function withMetric(metric: Metric, value: number): Validation {
  return { metrics: { loss: 1, accuracy: 0, macroF1: 0, auc: 0, count: 8, [metric]: value } };
}
