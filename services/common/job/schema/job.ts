// The whole job file, version v1alpha1. The custom resource definition, the JSON Schema for editors and the reference
// page are made from this one schema.

import { z } from 'zod';
import { dataSchema } from './data.ts';
import { byteQuantity, fraction, source } from './fields.ts';
import { modelSchema } from './model.ts';
import { metricNames } from './stage.ts';
import { trainSchema } from './train.ts';

export const apiVersion = 'thaw.dev/v1alpha1';
export const jobKind = 'FineTuneJob';

export const trainersSchema = z
  .strictObject({
    replicas: z.int().min(1).max(4096).default(1).describe('Trainers to start with.'),
    min: z
      .int()
      .min(1)
      .max(4096)
      .default(1)
      .describe('Fewest trainers: with fewer, training stands still. `thaw plan` reckons the memory for them.'),
    max: z
      .int()
      .min(1)
      .max(4096)
      .optional()
      .describe('Most trainers that `thaw scale` may ask for; at most data.shards, which is the default.'),
    threads: z.int().min(1).max(256).default(1).describe('Threads of the engine in one trainer. Decides the bits.'),
    engine: z
      .enum(['tensorflow', 'wasm', 'cpu', 'auto'])
      .default('tensorflow')
      .describe(
        'What computes. wasm needs no TensorFlow library, is slower, and has one thread and other bits; auto is ' +
          'tensorflow where set-up has built it beside the coordinator, else wasm, which is said; cpu is very slow and for tests.',
      ),
    cache: z
      .strictObject({
        memory: byteQuantity(
          'Most that one trainer holds in memory. Default: a part of the memory it may use.',
        ).optional(),
        disk: byteQuantity(
          'Most that lies in the cache directory of a host, for all jobs together; "0" keeps nothing on disk. Default: 10Gi, or a quarter of the free space if that is less.',
        ).optional(),
      })
      .optional()
      .describe('Frozen features and decoded pixels that are kept. Never changes the result.'),
    gpus: z.int().min(0).max(1).default(0).describe('GPUs of one trainer; 1 without a visible GPU is refused.'),
  })
  .describe('The processes that compute.');

export const snapshotSchema = z
  .strictObject({
    everySeconds: z
      .number()
      .min(0.1)
      .max(86_400)
      .default(60)
      .describe(
        'Seconds between two snapshots within an epoch, so most of what a crash costs. Never changes the result.',
      ),
  })
  .describe(
    'The whole state of training, stored beside it: also at the end of every epoch and before an ordered end. ' +
      '`thaw run --resume OUT` goes on from the newest one.',
  );

export const outputSchema = z
  .strictObject({
    uri: z
      .string()
      .regex(/^(file|s3|https?):.+$/, 'expected file:PATH')
      .optional()
      .describe('Folder of the result; a relative one starts at the current folder. Default: file:out/NAME.'),
    formats: z
      .array(z.enum(['tfjs', 'safetensors', 'h5', 'keras']))
      .min(1)
      .default(['tfjs', 'safetensors'])
      .describe('Formats of the model.'),
    weights: z
      .enum(['best', 'last'])
      .default('best')
      .describe('Weights of the result: the best epoch of the last stage by its metric, or the last.'),
    metric: z
      .enum(metricNames)
      .optional()
      .describe("What best means. Default: the last stage's advanceOn.metric, else loss."),
    calibrate: z
      .enum(['none', 'temperature'])
      .default('none')
      .describe('Makes probabilities as right as they are sure: a temperature, fitted on the validation set.'),
  })
  .describe('What comes out.');

export const jobSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of this format.'),
  kind: z.literal(jobKind).describe('Always FineTuneJob.'),
  metadata: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'expected lower-case letters, digits, dashes and dots')
        .describe('Name of the job.'),
      namespace: z.string().optional().describe('Kubernetes namespace.'),
      labels: z.record(z.string(), z.string()).optional().describe('Kubernetes labels.'),
      annotations: z.record(z.string(), z.string()).optional().describe('Kubernetes annotations.'),
    })
    .describe('Kubernetes metadata.'),
  spec: z
    .strictObject({
      task: z
        .enum([
          'imageClassification',
          'videoClassification',
          'languageModeling',
          'textClassification',
          'semanticSegmentation',
          'objectDetection',
          'regression',
        ])
        .describe('What is learnt.'),
      model: modelSchema,
      data: dataSchema,
      train: trainSchema,
      trainers: trainersSchema.prefault({}),
      output: outputSchema.prefault({}),
      snapshot: snapshotSchema.prefault({}),
      retention: z
        .strictObject({
          source: source(
            "Where those samples are: a folder of classes or a CSV. Labels are the source's class names where it is a " +
              'result of Thaw, else the indices of its classes.',
          ),
          maxDrop: fraction("Largest fall of the old task's accuracy, 0.05 for five points. Default: none.").optional(),
          onExceed: z
            .enum(['stop', 'rollback'])
            .optional()
            .describe(
              'What then: stop ends the stage, which keeps its best epoch from before. rollback undoes the stage: the ' +
                'schedule goes on from what it began with. Default: stop.',
            ),
        })
        .optional()
        .describe(
          'Samples of the old task: how much of it is forgotten is measured before training and in every epoch.',
        ),
    })
    .describe('What is trained, on what, and how.'),
});

/** A job file with defaults filled in and every check of one field passed. */
export type JobFile = z.infer<typeof jobSchema>;
export type JobSpec = JobFile['spec'];
