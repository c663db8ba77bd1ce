import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { resolvedTinyJob } from '../../../test/support/fixtures/resolved-tiny-job.ts';
import { globPattern } from '../model/select.ts';
import type { ResolvedStage } from './resolved-job.ts';

const presets = ['linear-probe', 'lp-ft', 'ulmfit', 'fastai', 'full', 'auto'] as const;
const golden = path.join(import.meta.dirname, 'presets.golden.json');

function stagesOf(preset: string, epochs?: number): readonly ResolvedStage[] {
  return resolvedTinyJob({ spec: { train: { schedule: { preset, epochs, stages: undefined } } } }).stages;
}

const fastai = { spec: { train: { schedule: { preset: 'fastai', stages: undefined } } } };

test('presets become the stages that are written down', async () => {
  const expanded = Object.fromEntries(presets.map((preset) => [preset, stagesOf(preset)]));
  const text = `${JSON.stringify(expanded, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN) await writeFile(golden, text);
  assert.equal(text, await readFile(golden, 'utf8'));
});

test('lp-ft trains the head first, then everything at a tenth from the best', () => {
  const [first, second] = stagesOf('lp-ft');
  assert.deepEqual(first?.select, ['head/**']);
  assert.deepEqual(second?.select, ['head/**', 'backbone/**']);
  assert.equal(second?.learningRate, (first?.learningRate ?? 0) / 10);
  assert.equal(second?.onEnter, 'restoreBest');
});

test('ulmfit thaws one more block a stage until every block trains', () => {
  const stages = stagesOf('ulmfit');
  assert.deepEqual(
    stages.map(({ select }) => select.slice(1)),
    [[], ['last(1)'], ['last(2)'], ['last(3)']],
  );
  for (const { curve, layerDecay } of stages) assert.deepEqual([curve, layerDecay], ['slantedTriangular', 1 / 2.6]);
});

test('fastai trains the head for an epoch, then everything at half the rate, at the input at a hundredth of that', () => {
  for (const blocks of [1, 3, 17]) {
    const [frozen, all] = resolvedTinyJob(fastai, { facts: { blocks } }).stages;
    assert.deepEqual(frozen?.length, { kind: 'epochs', epochs: 1 });
    assert.equal(all?.learningRate, (frozen?.learningRate ?? 0) / 2);
    assert.ok(Math.abs((all?.layerDecay ?? 0) ** blocks - 0.01) < 1e-12);
  }
});

test('auto trains the head, then one ranked block more a stage, each from the best before, at a tenth', () => {
  const [head, ...ranked] = stagesOf('auto');
  assert.deepEqual(
    ranked.map(({ select }) => select),
    [1, 2, 3].map((count) => ['head/**', `ranked(${count})`]),
  );
  for (const { learningRate, onEnter, advanceOn } of ranked) {
    assert.equal(learningRate, (head?.learningRate ?? 0) / 10);
    assert.deepEqual([onEnter, advanceOn], ['restoreBest', head?.advanceOn]);
  }
});

test("a preset's epochs are those of the job", () => {
  for (const preset of presets) assert.deepEqual(stagesOf(preset, 7).at(-1)?.length, { kind: 'epochs', epochs: 7 });
});

test('every preset trains the head in every stage', () => {
  for (const preset of presets) {
    for (const { select } of stagesOf(preset)) assert.ok(select.some((glob) => globPattern(glob).test('head/output')));
  }
});
