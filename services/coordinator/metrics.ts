// Every metric that the coordinator serves. docs/metrics.md lists them (tested both ways). Gauges are read off the
// state when scraped; only blob traffic is counted as it happens.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { BlobTraffic } from './adapters/blob-service.ts';
import { epochsOf, totalSteps } from './core/job-plan.ts';
import { phases } from './core/state.ts';
import type { Coordinator } from './runtime/coordinator.ts';

export function coordinatorMetrics(registry: Registry, coordinator: Coordinator): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const state = () => coordinator.state;
  const progress = () => coordinator.status().progress;
  gauge('thaw_coordinator_phase', `What the job does: ${phases.map((name, i) => `${i} ${name}`).join(', ')}.`, () =>
    phases.indexOf(state().phase),
  );
  gauge('thaw_coordinator_term', 'Term under which this coordinator holds the job.', () => state().term);
  gauge('thaw_coordinator_generation', 'Number of the current generation.', () => state().generation?.number ?? 0);
  gauge('thaw_coordinator_stage', 'Index of the stage, from 0.', () => state().cursor.stage);
  gauge('thaw_coordinator_stages', 'Number of stages.', () => state().plan.stages.length);
  gauge('thaw_coordinator_stages_reused', 'Stages that were trained before, by this job or another.', () => {
    return state().stages.filter(({ reused }) => reused !== null).length;
  });
  gauge('thaw_coordinator_epoch', 'Job-global epoch, from 0.', () => state().cursor.epoch);
  gauge('thaw_coordinator_stage_epochs_max', 'Most epochs that the current stage may take.', () => {
    const { plan, cursor } = state();
    const stage = plan.stages[cursor.stage];
    return stage ? epochsOf(stage) : 0;
  });
  gauge('thaw_coordinator_step', 'Last step that some trainer reports.', () => Number(progress()?.step ?? 0));
  gauge('thaw_coordinator_steps_max', 'Most steps that the job may take.', () => totalSteps(state().plan));
  gauge('thaw_coordinator_progress_ratio', 'Done part of the job, 0..1, at its upper bounds.', () => {
    return progress()?.ratio as number;
  });
  gauge('thaw_coordinator_remaining_seconds', 'Estimate at the upper bounds.', () => {
    return progress()?.remainingSeconds as number;
  });
  gauge('thaw_coordinator_trainers_ready', 'Trainers that passed the probe.', () => {
    return state().members.filter(({ ready }) => ready).length;
  });
  gauge('thaw_coordinator_trainers_wanted', 'Trainers that the job waits for.', () => state().wanted);
  gauge('thaw_coordinator_train_loss', 'Training loss, of the last step or epoch.', () => progress()?.loss as number);
  gauge('thaw_coordinator_train_accuracy', 'Training accuracy, 0..1.', () => progress()?.accuracy as number);
  gauge('thaw_coordinator_validation_loss', 'Of the last evaluated epoch.', () => progress()?.validationLoss as number);
  gauge('thaw_coordinator_validation_accuracy', 'Of the last evaluated epoch, 0..1.', () => {
    return progress()?.validationAccuracy as number;
  });
  gauge('thaw_coordinator_test_accuracy', 'Of the chosen weights, 0..1; 0 until tested.', () => {
    return state().test?.accuracy ?? 0;
  });
  gauge('thaw_coordinator_restore_point_step', 'Step that the job would go on after; 0 without a snapshot.', () => {
    return state().restorePoints[0]?.step ?? 0;
  });
  gauge('thaw_coordinator_resumes', 'How often the job was taken up again after a stop.', () => state().resumed.times);
  gauge('thaw_coordinator_steps_redone', 'Steps that were done before a stop and again after it.', () => {
    return state().resumed.stepsRedone;
  });
  runningTotal(registry, 'thaw_coordinator_snapshots_stored_total', {
    help: 'Snapshots that this process has stored.',
    read: () => coordinator.snapshotsStored,
  });
  badSamplesGauge(registry, coordinator);
  gauge('thaw_coordinator_inbox_depth', 'Events that wait for a decision.', () => coordinator.inboxDepth);
  gauge('thaw_coordinator_outbox_depth', 'Events that wait for the stream.', () => state().outbox.length);
  runningTotal(registry, 'thaw_coordinator_directives_resent_total', {
    help: 'Directives said again because they were not acknowledged.',
    read: () => coordinator.directivesResent,
  });
  runningTotal(registry, 'thaw_coordinator_state_writes_total', {
    help: "Writes of the job's state, renewals included.",
    read: () => coordinator.stateWrites,
  });
  runningTotal(registry, 'thaw_coordinator_state_write_seconds_total', {
    help: "Seconds that writes of the job's state took.",
    read: () => coordinator.stateWriteSeconds,
  });
}

/** Counts what goes through the blob service. */
export function blobMetrics(registry: Registry): Pick<BlobTraffic, 'served' | 'stored'> {
  const registers = [registry];
  const served = new Counter({
    name: 'thaw_coordinator_blob_served_bytes_total',
    help: 'Blob bytes sent to trainers.',
    registers,
  });
  const stored = new Counter({
    name: 'thaw_coordinator_blob_stored_bytes_total',
    help: 'Blob bytes received from trainers.',
    registers,
  });
  return { served: (bytes) => served.inc(bytes), stored: (bytes) => stored.inc(bytes) };
}

function badSamplesGauge(registry: Registry, coordinator: Coordinator): void {
  new Gauge({
    name: 'thaw_coordinator_bad_samples',
    help: 'Unreadable samples found so far, by set.',
    labelNames: ['set'],
    registers: [registry],
    collect() {
      for (const [set, count] of Object.entries(coordinator.state.badSamples.counts)) this.set({ set }, count);
    },
  });
}

/** A counter that is kept elsewhere and read when scraped. */
function runningTotal(
  registry: Registry,
  name: string,
  { help, read }: { readonly help: string; readonly read: () => number },
): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
