// Every metric that a trainer serves. docs/metrics.md lists them (tested both ways).

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Observation } from './comms/messages.ts';
import { type ProgressBoard, phases } from './comms/progress-board.ts';

export interface TrainerMetrics {
  observe(observation: Observation): void;
  /** Frames that the collective refused, by reason, and bytes it moved. */
  framesRefused(reason: string, count: number): void;
  fetched(bytes: number, seconds: number): void;
}

const stepBuckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

export function trainerMetrics(registry: Registry, board: ProgressBoard): TrainerMetrics {
  boardGauges(registry, board);
  const registers = [registry];
  const steps = stepMetrics(registers);
  const features = featureMetrics(registers);
  const engine = engineMetrics(registers);
  const exchange = exchangeMetrics(registers);
  const snapshots = snapshotMetrics(registers);
  return {
    observe(observation) {
      switch (observation.kind) {
        case 'step':
          for (const [part, seconds] of Object.entries(observation.seconds)) steps.seconds.observe({ part }, seconds);
          steps.samples.inc(observation.samples);
          steps.reduced.inc(observation.reducedBytes);
          return;
        case 'features':
          for (const [from, samples] of observation.computed) features.computed.inc({ from }, samples);
          for (const [level, rows] of Object.entries(observation.hits)) features.hits.inc({ level }, rows);
          features.misses.inc(observation.misses);
          features.decoded.inc(observation.decoded);
          features.corrupt.inc(observation.corrupt);
          features.cacheBytes.set(observation.bytes.memory);
          features.writtenBytes.set(observation.bytes.written);
          return;
        case 'badSample':
          features.bad.inc({ set: observation.set });
          return;
        case 'snapshot':
          snapshots.seconds.inc(observation.pauseSeconds);
          snapshots.taken.inc();
          snapshots.bytes.set(observation.bytes);
          return;
        case 'engine':
          engine.tensors.set(observation.tensors);
          engine.bytes.set(observation.bytes);
          return;
      }
    },
    framesRefused: (reason, count) => exchange.refused.inc({ reason }, count),
    fetched(bytes, seconds) {
      exchange.fetchedBytes.inc(bytes);
      exchange.fetchSeconds.inc(seconds);
    },
  };
}

function stepMetrics(registers: Registry[]) {
  return {
    seconds: new Histogram({
      name: 'thaw_trainer_step_seconds',
      help: 'Seconds of one step, split by part: data, features, compute, exchange, apply.',
      labelNames: ['part'],
      buckets: stepBuckets,
      registers,
    }),
    samples: new Counter({
      name: 'thaw_trainer_samples_total',
      help: 'Samples whose gradient this trainer computed.',
      registers,
    }),
    reduced: new Counter({
      name: 'thaw_trainer_reduced_bytes_total',
      help: 'Gradient bytes sent and received.',
      registers,
    }),
  };
}

function featureMetrics(registers: Registry[]) {
  return {
    computed: new Counter({
      name: 'thaw_trainer_features_computed_total',
      help: 'Samples whose frozen layers ran, by what they started from: pixels, or the stored boundary.',
      labelNames: ['from'],
      registers,
    }),
    hits: new Counter({
      name: 'thaw_trainer_feature_cache_hits_total',
      help: 'Rows read instead of computed, by where they were: memory, disk; pixels: pictures not decoded again.',
      labelNames: ['level'],
      registers,
    }),
    misses: new Counter({
      name: 'thaw_trainer_feature_cache_misses_total',
      help: 'Feature rows computed for one use, because the cache was full.',
      registers,
    }),
    cacheBytes: new Gauge({
      name: 'thaw_trainer_feature_cache_bytes',
      help: 'Bytes that the feature cache holds in memory.',
      registers,
    }),
    writtenBytes: new Gauge({
      name: 'thaw_trainer_feature_cache_written_bytes',
      help: 'Bytes that this process wrote to the feature cache on disk.',
      registers,
    }),
    decoded: new Counter({ name: 'thaw_trainer_images_decoded_total', help: 'Pictures decoded.', registers }),
    corrupt: new Counter({
      name: 'thaw_trainer_feature_cache_corrupt_total',
      help: 'Damaged or unfinished entries found on disk; they are computed again.',
      registers,
    }),
    bad: new Counter({
      name: 'thaw_trainer_bad_samples_total',
      help: 'Unreadable samples that this trainer met, by set.',
      labelNames: ['set'],
      registers,
    }),
  };
}

function snapshotMetrics(registers: Registry[]) {
  return {
    taken: new Counter({
      name: 'thaw_trainer_snapshots_total',
      help: 'Copies made of the state of training.',
      registers,
    }),
    seconds: new Counter({
      name: 'thaw_trainer_snapshot_pause_seconds_total',
      help: 'Seconds that training stood still for copies of its state.',
      registers,
    }),
    bytes: new Gauge({ name: 'thaw_trainer_snapshot_bytes', help: 'Size of the newest one.', registers }),
  };
}

function exchangeMetrics(registers: Registry[]) {
  return {
    refused: new Counter({
      name: 'thaw_trainer_frames_refused_total',
      help: 'Frames dropped before use, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    fetchedBytes: new Counter({
      name: 'thaw_trainer_fetched_bytes_total',
      help: 'Blob bytes fetched from the coordinator.',
      registers,
    }),
    fetchSeconds: new Counter({
      name: 'thaw_trainer_fetch_seconds_total',
      help: 'Seconds spent fetching blobs.',
      registers,
    }),
  };
}

function engineMetrics(registers: Registry[]) {
  return {
    tensors: new Gauge({ name: 'thaw_trainer_engine_tensors', help: 'Tensors alive in the engine.', registers }),
    bytes: new Gauge({
      name: 'thaw_trainer_engine_bytes',
      help: 'Bytes of the tensors alive in the engine.',
      registers,
    }),
  };
}

/** Gauges that are read off the progress board when scraped. */
function boardGauges(registry: Registry, board: ProgressBoard): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('thaw_trainer_generation', 'Generation that this trainer works in.', () => board.get('generation'));
  gauge('thaw_trainer_stage', 'Index of the stage, from 0.', () => board.get('stage'));
  gauge('thaw_trainer_epoch', 'Job-global epoch, from 0.', () => board.get('epoch'));
  gauge('thaw_trainer_step', 'Last applied step.', () => board.get('step'));
  gauge('thaw_trainer_phase', `What it does: ${phases.map((name, i) => `${i} ${name}`).join(', ')}.`, () =>
    phases.indexOf(board.phase()),
  );
  gauge('thaw_trainer_ticks', 'Micro-batches, blocks and chunks done; stands still when hung.', () =>
    board.get('ticks'),
  );
  gauge('thaw_trainer_loss', 'Training loss of the last step, penalty included.', () => board.get('loss'));
  gauge('thaw_trainer_accuracy', 'Training accuracy of the last step, 0..1.', () => board.get('accuracy'));
  gauge('thaw_trainer_learning_rate', 'Learning rate of the last step.', () => board.get('learningRate'));
  gauge('thaw_trainer_gradient_norm', 'Global norm of the last gradient, before clipping.', () =>
    board.get('gradientNorm'),
  );
  gauge('thaw_trainer_samples_per_second', 'Samples of all members per second in the last step.', () =>
    board.get('samplesPerSecond'),
  );
}
