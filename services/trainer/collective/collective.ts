// The all-reduce as the training loop sees it: float gradients of the shards it hosts in, the same int32 sums on
// every member out. How it gets there (protocol sections 3 and 4) is the affair of the files beside this one.

import type { TensorLayout } from '@thaw/common/model/tensor-layout.ts';

export interface Generation {
  readonly number: number;
  /** Index of each member is its `source` in frames; members are sorted by incarnation. */
  readonly members: readonly Member[];
  /** shardOwners[shard] = index of the member that computes it. */
  readonly shardOwners: readonly number[];
  readonly firstStep: number;
}

export interface Member {
  /** 64 random bits, hex; new in every process start. */
  readonly incarnation: string;
  readonly name: string;
}

export interface Collective {
  /** Subscribes to the generation's subjects and flushes; buffers are sized for the layout and hosted shards. */
  open(options: OpenOptions): Promise<void>;
  /** The buffer that shard's gradient of this step is written to, layout.length floats, FREE → FILLING. */
  gradientBuffer(step: number, shard: number): Float32Array;
  /** Announces, scales, reduces. Resolves when every slice is held, identically on every member. */
  exchange(local: StepContribution): Promise<StepResult>;
  /** Leaves the generation's subjects after retention allows; idempotent. */
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly generation: Generation;
  /** Index in the job; frames of another stage are dropped. */
  readonly stage: number;
  readonly self: number;
  readonly layout: TensorLayout;
  /** Identity of the stage's tensor set, announced and compared: sha256 hex of the names and shapes. */
  readonly tensorSet: string;
  readonly shards: number;
}

export interface StepContribution {
  readonly step: number;
  /** Highest plan this member has acknowledged. */
  readonly acknowledgedPlan: number;
  /** One entry per hosted shard, gradients already in its gradientBuffer. */
  readonly shards: readonly ShardContribution[];
}

export interface ShardContribution {
  readonly shard: number;
  /** Samples with weight > 0. */
  readonly count: number;
  readonly weight: number;
  readonly loss: number;
  readonly correct: number;
  /** Fixed-point sums of batch statistics, of one length on every shard in one step; absent: none. */
  readonly statistics?: BigInt64Array;
}

export interface StepResult {
  readonly step: number;
  /** int32 sums over all shards, in layout order; valid until the next exchange. */
  readonly sums: Int32Array;
  /** Per tensor of the layout: gradient sum = sums x 2^-exponent. */
  readonly exponents: Int32Array;
  /** W of the update rule. 0: no update. */
  readonly weight: number;
  readonly count: number;
  readonly loss: number;
  readonly correct: number;
  /** Sums over all shards; notANumber where one of them was none. */
  readonly statistics: BigInt64Array;
  /** Indices into layout.entries that held NaN or infinity on any member; non-empty: nobody applies. */
  readonly nonFinite: readonly number[];
  /** The highest plan that every member has acknowledged; the same on all of them. */
  readonly acknowledgedPlan: number;
  readonly seconds: { readonly announce: number; readonly reduce: number };
  readonly bytes: { readonly sent: number; readonly received: number };
}
