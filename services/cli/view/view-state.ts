// What the terminal knows of a run: the latest status, and from the events what a status does not hold (the stages' best
// epochs, recent losses, bad samples).

import type { Metrics } from '@thaw/coordinator/core/state.ts';
import type { JobStatus__Output } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import type { JobEvent } from './job-event.ts';

export interface ViewState {
  /** Both clocks in milliseconds when the command began. */
  readonly began: { readonly monotonic: number; readonly wall: number };
  /** What is being started; until the first status. */
  readonly starting: string;
  readonly status: JobStatus__Output | null;
  readonly stagesTotal: number;
  /** Those entered so far, the current one last. */
  readonly stages: readonly SeenStage[];
  /** Job-global number of the newest epoch that is done, here or before; -1 when there is none. */
  readonly lastEpoch: number;
  readonly trained: Extract<JobEvent, { readonly kind: 'epochTrained' }> | null;
  /** Training losses of the newest steps seen, oldest first. */
  readonly losses: readonly number[];
  readonly lossStep: number;
  readonly badSamples: number;
  /** Of the newest event. */
  readonly sequence: number;
}

export interface SeenStage {
  readonly index: number;
  readonly name: string;
  /** Job-global number of its first epoch. */
  readonly firstEpoch: number;
  readonly best: { readonly epoch: number; readonly validation: Metrics } | null;
}

export function initialViewState(began: ViewState['began']): ViewState {
  return {
    began,
    starting: '',
    status: null,
    stagesTotal: 0,
    stages: [],
    lastEpoch: -1,
    trained: null,
    losses: [],
    lossStep: 0,
    badSamples: 0,
    sequence: 0,
  };
}

/** The stage of a job-global epoch. */
export function stageOf({ stages }: ViewState, epoch: number): SeenStage | undefined {
  return stages.findLast(({ firstEpoch }) => firstEpoch <= epoch);
}

/** Epoch within its stage, from 1, of a job-global epoch. */
export function epochInStage(state: ViewState, epoch: number): number {
  return epoch - (stageOf(state, epoch)?.firstEpoch ?? 0) + 1;
}

/** Seconds since the command began. */
export function elapsedSeconds({ began }: ViewState, monotonic: number): number {
  return Math.max(0, monotonic - began.monotonic) / 1000;
}
