import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { createLogger } from './logger.ts';

it('appends one JSON object a line, at once, with the name and the process', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'thaw-log-'));
  try {
    const file = path.join(folder, 'logs', 'trainer-0.jsonl');
    createLogger({ name: 'trainer-0', file }).info({ step: 3 }, 'ready');
    createLogger({ name: 'trainer-0', file }).warn('again');
    const lines = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ msg, name, pid }) => [msg, name, pid]),
      [
        ['ready', 'trainer-0', process.pid],
        ['again', 'trainer-0', process.pid],
      ],
    );
    assert.equal(lines[0]?.step, 3);
    assert.match(String(lines[0]?.time), /^\d{4}-\d\d-\d\dT/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
