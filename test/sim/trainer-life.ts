// The life of a trainer, line by line as the real one's: take a directive, carry it out, report; drop it when a newer one
// comes. What it computes is made up, when it looks for a newer directive is not.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { aReady } from '@thaw/coordinator/testing/builders.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { RankBlocks__Output } from '@thaw/proto/gen/thaw/v1/RankBlocks.ts';
import type { Report } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { StoreState__Output } from '@thaw/proto/gen/thaw/v1/StoreState.ts';
import { sourceState } from '@thaw/proto/source-state.ts';
import { Superseded } from '@thaw/trainer/comms/inbox.ts';
import { evaluateParts } from './evaluation.ts';
import type { Sum } from './exchange.ts';
import { BrokenPromise } from './journal.ts';
import { decodeModel, encodeModel, figureOf, untrained } from './model-state.ts';
import type { Task } from './program.ts';
import { nowhere, type TrainerProcess } from './trainer-process.ts';
import { trainSteps } from './training.ts';

type Result = Omit<Report, 'term' | 'revision'>;

export function* trainerLife(self: TrainerProcess): Task {
  const { world } = self;
  yield () => self.welcome !== null;
  yield world.draw('pace', world.scenario.probe);
  self.send({ ready: aReady() });
  for (;;) {
    const directive = yield* self.nextDirective();
    try {
      const result = yield* carryOut(self, directive);
      self.send({ report: { term: directive.term, revision: directive.revision, ...result } });
      if (directive.finish) return self.finish();
    } catch (thrown) {
      if (!(thrown instanceof Superseded)) throw thrown;
    }
  }
}

function* carryOut(self: TrainerProcess, directive: Directive__Output): Task<Result> {
  if (directive.train) return { trained: yield* trainSteps(self, directive, directive.train) };
  if (directive.evaluate) {
    yield* restore(self, directive, directive.evaluate.restoreDigest);
    return { evaluated: yield* evaluateParts(self, directive, directive.evaluate) };
  }
  if (directive.store) return { stored: yield* store(self, directive, directive.store) };
  if (directive.rank) return { ranked: yield* rank(self, directive, directive.rank) };
  if (directive.halt) {
    self.haltedIn = directive.generation?.number ?? 0;
    return { halted: { ...self.position } };
  }
  return { finished: {} };
}

function* store(self: TrainerProcess, directive: Directive__Output, { member, scheduleState }: StoreState__Output) {
  if (placeIn(self, directive) !== member) return { digest: '', bytes: 0 };
  return yield* self.store(encodeModel(self.state, scheduleState));
}

/** One exchange that nobody applies; the norms follow from its sum and the weights. */
function* rank(self: TrainerProcess, directive: Directive__Output, { stage, step, restoreDigest }: RankBlocks__Output) {
  yield* restore(self, directive, restoreDigest);
  yield* openExchange(self, directive, `rank ${stage}`);
  const { value } = yield* exchanged(self, directive, step);
  const norm = (what: string): number => 1 + figureOf(self.state, 1000, what, value);
  const blocks = ['last', 'middle', 'first'].map((block) => ({
    ...{ block, gradient: norm(`${block} gradient`), weights: norm(block) },
  }));
  return { count: 64, blocks };
}

/** Not interrupted by a newer directive. What is restored stands nowhere until it is trained. */
export function* restore(self: TrainerProcess, directive: Directive__Output, digest: string): Task {
  if (digest === '') return;
  self.position = nowhere;
  if (digest === sourceState) {
    self.state = untrained;
    return;
  }
  const { checks, disk } = self.world;
  const content = yield* self.transfer(`fetching ${digest}`, () => {
    checks.fetching(self, directive, digest);
    return disk.blobs.get(digest);
  });
  if (content === undefined) throw new ThawError('BlobNotFound', `${digest} is not there`);
  self.state = decodeModel(content);
}

export function* openExchange(self: TrainerProcess, directive: Directive__Output, what: string): Task {
  const { generation } = directive;
  const place = placeIn(self, directive);
  const key = `${self.welcome?.runToken}/${generation?.number}/${what}`;
  if (!generation || self.exchange.key === key) return;
  yield* interruptible(self, 1);
  self.exchange.open({ key, generation, self: place });
}

export function* exchanged(self: TrainerProcess, directive: Directive__Output, step: number): Task<Sum> {
  for (const _ of self.exchange.hosted()) {
    check(self, directive);
    yield self.world.draw('pace', self.world.scenario.compute);
    self.ticks += 1;
  }
  self.exchange.contribute(step, self.snapshots.known());
  yield () => self.directive !== null || self.exchange.sumOf(step) !== null;
  if (self.directive) throw new Superseded();
  return self.exchange.sumOf(step) as Sum;
}

/** Throws Superseded when a newer directive is there. */
export function check(self: TrainerProcess, _of: Directive__Output): void {
  if (self.directive) throw new Superseded();
}

function* interruptible(self: TrainerProcess, milliseconds: number): Task {
  const { time } = self.world;
  const until = time.now + milliseconds;
  self.after(milliseconds, () => undefined);
  yield () => self.directive !== null || time.now >= until;
  if (self.directive) throw new Superseded();
}

export function placeIn(self: TrainerProcess, { revision, generation }: Directive__Output): number {
  const place = generation?.members.findIndex(({ incarnation }) => incarnation === self.incarnation) ?? -1;
  if (place < 0) throw new BrokenPromise(`${self.name} is told to work by directive ${revision}, and is no member`);
  return place;
}
