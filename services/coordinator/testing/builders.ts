// Builders for tests of the core: plans, trainers that behave, and a player that takes a job through real decisions.

import assert from 'node:assert/strict';
import { scoreBin, scoreBins } from '@thaw/common/evaluation/score-bins.ts';
import { sparseOf } from '@thaw/common/evaluation/sparse-counts.ts';
import { fixedPointScale } from '@thaw/proto/frames/announcement.ts';
import type { Evaluated__Output } from '@thaw/proto/gen/thaw/v1/Evaluated.ts';
import type { EvaluatedPart__Output } from '@thaw/proto/gen/thaw/v1/EvaluatedPart.ts';
import type { Halted } from '@thaw/proto/gen/thaw/v1/Halted.ts';
import type { Hello__Output } from '@thaw/proto/gen/thaw/v1/Hello.ts';
import type { Ranked__Output } from '@thaw/proto/gen/thaw/v1/Ranked.ts';
import type { Ready__Output } from '@thaw/proto/gen/thaw/v1/Ready.ts';
import type { Report, Report__Output } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { SnapshotTaken__Output } from '@thaw/proto/gen/thaw/v1/SnapshotTaken.ts';
import type { Trained__Output } from '@thaw/proto/gen/thaw/v1/Trained.ts';
import { protocolVersion } from '@thaw/proto/protocol-version.ts';
import { decide } from '../core/decide.ts';
import type { CoreEvent, Effect } from '../core/events.ts';
import { initialState } from '../core/initial-state.ts';
import type { JobPlan, StagePlan } from '../core/job-plan.ts';
import type { StageResult } from '../core/kept-stage.ts';
import { nextKey } from '../core/stage-reuse.ts';
import type { JobState, Work } from '../core/state.ts';

export function aStage(changes: Partial<StagePlan> = {}): StagePlan {
  return {
    name: 'head',
    facts: `sha256:${'a'.repeat(64)}`,
    stepsPerEpoch: 4,
    steps: 8,
    advanceOn: null,
    metric: 'accuracy',
    optimizerState: 'reset',
    onEnter: 'continue',
    ...changes,
  };
}

export function aPlan(changes: Partial<JobPlan> = {}): JobPlan {
  return {
    name: 'digits',
    jobDigest: `sha256:${'1'.repeat(64)}`,
    artifacts: {
      job: `sha256:${'2'.repeat(64)}`,
      graph: `sha256:${'3'.repeat(64)}`,
      manifest: `sha256:${'4'.repeat(64)}`,
      weights: [`sha256:${'5'.repeat(64)}`],
      dataRoot: '/data',
    },
    facts: `sha256:${'6'.repeat(64)}`,
    dataDigest: `sha256:${'7'.repeat(64)}`,
    shards: 8,
    classes: ['no', 'yes'],
    replicas: 2,
    trainersMin: 1,
    trainersMax: 8,
    stages: [aStage()],
    samples: { train: 100, validation: 20, test: 20 },
    parts: { validation: 3, test: 3 },
    maxBadSamples: 0.02,
    weights: 'best',
    snapshotSeconds: 60,
    ...changes,
  };
}

export function incarnationOf(index: number): string {
  return index.toString(16).padStart(16, '0');
}

export function aHello(index: number, changes: Partial<Hello__Output> = {}): Hello__Output {
  return {
    protocolVersion,
    incarnation: incarnationOf(index),
    name: `trainer-${index}`,
    pid: 100 + index,
    highestTerm: 0,
    jobDigest: '',
    ...changes,
  };
}

export function aReady(changes: Partial<Ready__Output> = {}): Ready__Output {
  const engineClass = { engine: 'cpu', version: '1', device: 'cpu', cpuFeatures: 'avx2', threads: 1 };
  return { engineClass, probeDigest: 'abc', stageProbeDigests: [], metricsPort: 9000, ...changes };
}

export function aTrained(lastStep: number, changes: Partial<Trained__Output> = {}): Trained__Output {
  return {
    appliedStep: lastStep,
    stateDigest: `state-${lastStep}`,
    lossSum: 50 * fixedPointScale,
    penaltySum: 0,
    count: 100,
    correct: 60,
    stepsSkipped: 0,
    seconds: { data: 0, features: 1, compute: 2, exchange: 0.5, apply: 0.1, reducedBytes: 1000 },
    learningRate: 0.01,
    frozenIntact: true,
    ...changes,
  };
}

/** What a member says of a snapshot in the current epoch; the first one stores it. */
export function aTaken(
  { term, directive }: JobState,
  { step, member, ...changes }: Partial<SnapshotTaken__Output> & { readonly step: number; readonly member: number },
): SnapshotTaken__Output {
  const sums = { lossSum: step, penaltySum: 0, count: 10 * step, correct: step, stepsSkipped: 0, learningRate: 0.01 };
  const digest = `sha256:${step.toString(16).padStart(64, 'd')}`;
  const bytes = member === 0 ? 10 : 0;
  return { term, revision: directive?.revision ?? 0, plan: 0, step, digest, bytes, sums, pauseSeconds: 0, ...changes };
}

/** Parts of two classes with `correct` of ten samples right in each. */
export function someParts(partOwners: readonly number[], member: number, correct: number): EvaluatedPart__Output[] {
  return partOwners.flatMap((owner, part) =>
    owner === member
      ? [
          {
            part,
            lossSum: (10 - correct) * fixedPointScale,
            count: 10,
            topFive: 10,
            confusion: sparseOf([correct, 10 - correct, 0, 0]),
            badSamples: 0,
            confidenceCounts: [],
            confidenceCorrect: [],
            confidenceSums: [],
            temperedLossSums: [],
            temperedConfidenceCounts: [],
            temperedConfidenceCorrect: [],
            temperedConfidenceSums: [],
            worstMistakes: [],
          },
        ]
      : [],
  );
}

/** What a member reports of such parts: a right sample has a probability of 0.75, a wrong one of 0.25. */
export function someEvaluated(partOwners: readonly number[], member: number, correct: number): Evaluated__Output {
  const parts = someParts(partOwners, member, correct);
  const [low, high] = [scoreBin(0.25), scoreBin(0.75)];
  const scores = (index: number, right: number, wrong: number) => {
    const counts = new Array<number>(2 * scoreBins).fill(0);
    counts[index * scoreBins + right] = correct * parts.length;
    counts[index * scoreBins + wrong] = (10 - correct) * parts.length;
    return sparseOf(counts);
  };
  return { parts, positiveScores: scores(0, high, low), negativeScores: scores(1, low, high) };
}

/** Three blocks from output to input; the middle one has the largest gradient against its weights. */
export function someNorms(): Ranked__Output {
  return {
    count: 64,
    blocks: [
      { block: 'last', gradient: 0.2, weights: 2 },
      { block: 'middle', gradient: 0.3, weights: 1 },
      { block: 'first', gradient: 0.4, weights: 2 },
    ],
  };
}

/** With the least loss at a temperature of 2. */
function atTemperatures(temperatures: readonly number[], evaluated: Evaluated__Output): Evaluated__Output {
  const temperedLossSums = temperatures.map((one) => Math.round(10 * Math.log2(one / 2) ** 2 * fixedPointScale));
  return { ...evaluated, parts: evaluated.parts.map((part) => ({ ...part, temperedLossSums })) };
}

/** Right predictions of ten in each part, by job-global epoch; the last one is for all later epochs and the test. */
export type Script = readonly number[];

/** A job under way: every decision is the real core's. */
export class Play {
  state: JobState;
  readonly effects: Effect[] = [];
  now = 1_000_000;
  readonly #kept: readonly StageResult[] | null;
  /** Where members stand that are halted, by incarnation; nowhere unless a test says else. */
  readonly places = new Map<string, Halted>();

  /** `kept`: results of stages that the search finds, if they are the job's; null for a search that does not end. */
  constructor(plan: JobPlan, kept: readonly StageResult[] | null = []) {
    this.#kept = kept;
    this.state = initialState(plan, { uid: '01TEST', runToken: 'f'.repeat(16), reign: 'e'.repeat(16), term: 1 });
  }

  tell(event: CoreEvent): readonly Effect[] {
    this.now += 1000;
    const effects = [...this.#decide(event)];
    const searches = effects.some(({ kind }) => kind === 'findStages');
    if (searches && this.#kept) effects.push(...this.#decide({ kind: 'stagesFound', ...this.#found(this.#kept) }));
    return effects;
  }

  #decide(event: CoreEvent): readonly Effect[] {
    const { state, effects } = decide(this.state, event, this.now);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  #found(kept: readonly StageResult[]) {
    const results: StageResult[] = [];
    for (;;) {
      const key = nextKey(this.state, results);
      // A stage is kept anew when blocks were ranked after it.
      const result = kept.findLast((one) => one.key === key);
      if (!result) return { results, badSamples: [] };
      results.push(result);
    }
  }

  /** Stages that this job has kept so far. */
  kept(): StageResult[] {
    return this.effects.flatMap((effect) => (effect.kind === 'keepStage' ? [effect.result] : []));
  }

  gather(trainers: number): this {
    this.tell({ kind: 'started' });
    return this.join(trainers);
  }

  /** So many trainers, numbered from `first`. */
  join(trainers: number, first = 0): this {
    const indices = Array.from({ length: trainers }, (_, i) => first + i);
    for (const i of indices) this.tell({ kind: 'hello', hello: aHello(i) });
    for (const i of indices) this.tell({ kind: 'ready', from: incarnationOf(i), ready: aReady() });
    return this;
  }

  /** What the members would report on the current directive, by incarnation. */
  reports(script: Script = [5]): ReadonlyMap<string, Report__Output> {
    const { directive, generation, term } = this.state;
    if (!directive || !generation) return new Map();
    return new Map(
      generation.members.map(({ incarnation }, member) => {
        const place = this.places.get(incarnation) ?? { appliedStep: 0, sums: null };
        const result =
          directive.work.kind === 'halt'
            ? { result: 'halted' as const, halted: place }
            : resultOf(directive.work, member, script);
        return [incarnation, { term, revision: directive.revision, ...result } as Report__Output];
      }),
    );
  }

  /** Every member reports on the current directive as it should. */
  answer(script?: Script): this {
    for (const [from, report] of this.reports(script)) this.tell({ kind: 'report', from, report });
    return this;
  }

  /** Until the job asks for something other than a trainer's work. */
  playOn(script?: Script): this {
    for (let turns = 0; turns < 1000 && this.state.directive?.work.kind !== 'finish'; turns++) this.answer(script);
    return this;
  }

  /** The current directive's work, which must be of this kind. */
  work<Kind extends Work['kind']>(kind: Kind): Extract<Work, { readonly kind: Kind }> {
    assert.equal(this.kind(), kind);
    return this.state.directive?.work as Extract<Work, { readonly kind: Kind }>;
  }

  kind(): Work['kind'] | undefined {
    return this.state.directive?.work.kind;
  }

  kinds(): string[] {
    return this.state.outbox.map(({ entry }) => entry.kind);
  }
}

/** Digest of what a member stores for those who take its state over. */
export function stateAfter(step: number): string {
  return `sha256:${step.toString(16).padStart(64, 'f')}`;
}

function resultOf(
  work: Exclude<Work, { kind: 'halt' }>,
  member: number,
  script: Script,
): Omit<Report, 'term' | 'revision'> {
  switch (work.kind) {
    case 'train':
      return { result: 'trained', trained: aTrained(work.train.lastStep) };
    case 'evaluate': {
      const correct = script[Math.min(work.epoch, script.length - 1)] as number;
      return {
        result: 'evaluated',
        evaluated: atTemperatures(work.temperatures, someEvaluated(work.partOwners, member, correct)),
      };
    }
    case 'store': {
      const { epoch } = (JSON.parse(work.scheduleState) as { cursor: { epoch: number } }).cursor;
      const digest = member === work.member ? `sha256:${epoch.toString(16).padStart(64, 'e')}` : '';
      return { result: 'stored', stored: { digest, bytes: digest === '' ? 0 : 10 } };
    }
    case 'handOver': {
      const digest = member === work.member ? stateAfter(work.train.firstStep - 1) : '';
      return { result: 'stored', stored: { digest, bytes: digest === '' ? 0 : 10 } };
    }
    case 'rank':
      return { result: 'ranked', ranked: someNorms() };
    case 'finish':
      return { result: 'finished', finished: {} };
  }
}
