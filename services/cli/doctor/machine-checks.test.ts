import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkGpu } from './engine-checks.ts';
import { checkNodeVersion } from './installed-parts.ts';
import { processorLimit } from './machine-checks.ts';

describe('the limit on processors', () => {
  const own = '/proc/self/cgroup';
  for (const [what, files, expected] of [
    ['of the own control group', { [own]: '0::/a/b\n', '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }, 1.5],
    ['that is none', { [own]: '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, null],
    [
      'of a container, whose group is its root',
      { [own]: '0::/host/path\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' },
      0.5,
    ],
    [
      'of version 1',
      { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      2,
    ],
    [
      'of version 1 that is none',
      { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      null,
    ],
    ['where there are no control groups', {}, null],
  ] as readonly [string, Readonly<Record<string, string>>, number | null][]) {
    it(what, async () => assert.equal(await processorLimit(async (file) => files[file] ?? null), expected));
  }
});

describe('Node', () => {
  for (const [version, state] of [
    ['18.20.4', 'missing'],
    ['20.18.3', 'missing'],
    ['20.19.0', 'ok'],
    ['22.12.0', 'ok'],
    ['23.0.0', 'missing'],
  ] as const) {
    it(`${version} is ${state}`, () => assert.equal(checkNodeVersion(version).state, state));
  }
});

describe('a GPU', () => {
  for (const [device, cards, state, found] of [
    ['GPU', 'NVIDIA H100', 'ok', /^NVIDIA H100, visible to TensorFlow$/],
    ['CPU', null, 'ok', /^none; jobs run on the processor/],
    ['CPU', 'NVIDIA H100', 'note', /^NVIDIA H100, not visible to TensorFlow/],
  ] as const) {
    it(`${cards ?? 'none'}, TensorFlow on ${device}`, () => {
      const check = checkGpu(device, cards);
      assert.equal(check.state, state);
      assert.match(check.found, found);
    });
  }
});
