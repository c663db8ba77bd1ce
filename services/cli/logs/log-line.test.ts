import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type LogLine, readLogLine } from './log-line.ts';

const at = Date.UTC(2026, 0, 5, 12, 0, 1, 234);
const local = new Date(2026, 0, 5, 12, 0, 1, 234).getTime();
const own = { level: 30, time: '2026-01-05T12:00:01.234Z', name: 'trainer-0/comms', pid: 7, msg: 'ready' };

const cases: readonly { readonly text: string; readonly line: Omit<LogLine, 'process'> & { process?: string } }[] = [
  {
    text: JSON.stringify(own),
    line: { at, process: 'trainer-0/comms', level: 'info', message: 'ready' },
  },
  { text: JSON.stringify({ ...own, level: 50, name: undefined }), line: { at, level: 'error', message: 'ready' } },
  {
    text: JSON.stringify({ ...own, level: 40, msg: undefined, name: 'x' }),
    line: { at, process: 'x', level: 'warn', message: '' },
  },
  {
    text: '[81] 2026/01/05 12:00:01.234567 [INF] Server is ready',
    line: { at: local, level: 'info', message: 'Server is ready' },
  },
  {
    text: '[81] 2026/01/05 12:00:01.234567 [ERR] disk full',
    line: { at: local, level: 'error', message: 'disk full' },
  },
  { text: 'Segmentation fault', line: { at: null, level: 'stderr', message: 'Segmentation fault' } },
  { text: '{"level":30,"ti', line: { at: null, level: 'stderr', message: '{"level":30,"ti' } },
  { text: '{"a":1}', line: { at: null, level: 'stderr', message: '{"a":1}' } },
];

for (const { text, line } of cases) {
  it(`reads ${text}`, () => assert.deepEqual(readLogLine(text, 'trainer-0'), { process: 'trainer-0', ...line }));
}
