// What the wasm engine costs beside TensorFlow on the processor, one thread each: the frozen part of a pretrained
// MobileNetV2 on a block of pictures of 96 x 96, and forward and backward through its last two blocks and through all of
// it, for a micro-batch. Processor time, in one process, the engines in turn. It does not measure decoding or exchange.

import { blockSize } from '@thaw/common/data/block-size.ts';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import { selectTrainable } from '@thaw/common/model/select.ts';
import type { PreparedJob } from '@thaw/coordinator/prepare/prepared-job.ts';
import { createEngine } from '@thaw/trainer/engine/create-engine.ts';
import type { EngineModel } from '@thaw/trainer/engine/engine.ts';
import { digitsJob } from '../support/digits-job.ts';
import type { BenchmarkOptions, Print } from './benchmark.ts';
import { type Spread, spreadOf } from './spread.ts';

export interface EngineResult {
  readonly work: string;
  /** Processor time. */
  readonly milliseconds: { readonly tensorflow: Spread; readonly wasm: Spread };
  /** By the medians: how many times as long wasm takes. */
  readonly ratio: number;
}

const engines = ['tensorflow', 'wasm'] as const;
type Engine = (typeof engines)[number];

const microBatch = 16;
const roundsPerPass = 5;
const suffixes = { 'last two blocks': ['head/**', 'last(2)'], 'all layers': ['**'] } as const;

export async function benchEngines({ passes = 3 }: BenchmarkOptions, print: Print): Promise<EngineResult[]> {
  const prepared = await digitsJob();
  const measured = new Map<string, Record<Engine, number[]>>();
  for (let pass = 0; pass < passes; pass++) {
    for (const kind of engines) {
      const engine = await createEngine({ kind, threads: 1, gpus: 0 });
      const model = engine.loadModel(prepared.graph, prepared.weights, prepared.job.model.preprocessing);
      for (const [work, run] of worksOf(prepared, model)) {
        const times = measured.get(work) ?? { tensorflow: [], wasm: [] };
        measured.set(work, times);
        run(); // warms up
        for (let round = 0; round < roundsPerPass; round++) times[kind].push(processorMilliseconds(run));
      }
      model.dispose();
    }
  }
  return Array.from(measured, ([work, times]) => {
    const milliseconds = { tensorflow: spreadOf(times.tensorflow), wasm: spreadOf(times.wasm) };
    const ratio = milliseconds.wasm.median / milliseconds.tensorflow.median;
    print(
      `${work}: tensorflow ${milliseconds.tensorflow.median.toFixed(1)} ms, wasm ${milliseconds.wasm.median.toFixed(1)} ms, ` +
        `ratio ${ratio.toFixed(2)}`,
    );
    return { work, milliseconds, ratio };
  });
}

/** Each opens its program when it is its turn, and closes it when the next one is asked for. */
function* worksOf({ graph, job }: PreparedJob, model: EngineModel): Generator<[work: string, run: () => void]> {
  const { height, width } = job.model.preprocessing;
  const pixels = Uint8Array.from({ length: blockSize * height * width * 3 }, (_, i) => (i * 31) % 256);
  const open = (select: readonly string[]) => {
    const trainable = selectTrainable(graph, select).tensors.map(({ name }) => name);
    return model.stageProgram({ trainable, seed: 1, blockSize, microBatch, classes: 10, loss: plainCrossEntropy });
  };
  const head = open(['head/**']);
  yield [`frozen part, ${blockSize} pictures`, () => void head.features(pixels)];
  head.dispose();
  for (const [what, select] of Object.entries(suffixes)) {
    const program = open(select);
    const features = program.features(pixels).slice(0, microBatch * program.partition.boundaryFloats);
    const sampleIds = Array.from({ length: microBatch }, (_, i) => `sample ${i}`);
    const weights = new Float32Array(microBatch).fill(1);
    const batch = { features, labels: new Int32Array(microBatch), weights, sampleIds, epoch: 0 };
    const gradient = new Float32Array(program.layout.length);
    yield [`gradients of ${what}, ${microBatch} pictures`, () => void program.gradients(batch, gradient)];
    program.dispose();
  }
}

/** Of this process, which runs nothing else. */
function processorMilliseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
