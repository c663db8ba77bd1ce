import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeTerminal } from './testing/fake-terminal.ts';
import { takesColour, viewMode } from './view-mode.ts';

for (const { json = false, isTerminal = true, env = {}, mode } of [
  { mode: 'live' },
  { env: { NO_COLOR: '1', TERM: 'xterm' }, mode: 'live' },
  { env: { CI: 'false' }, mode: 'live' },
  { env: { CI: '' }, mode: 'live' },
  { env: { CI: 'true' }, mode: 'plain' },
  { env: { CI: '1' }, mode: 'plain' },
  { env: { TERM: 'dumb' }, mode: 'plain' },
  { isTerminal: false, mode: 'plain' },
  { json: true, mode: 'json' },
  { json: true, isTerminal: false, env: { CI: '1' }, mode: 'json' },
]) {
  const terminal = isTerminal ? 'a terminal' : 'no terminal';
  it(`is ${mode} for ${terminal} with ${JSON.stringify(env)}${json ? ' and --json' : ''}`, () => {
    assert.equal(viewMode({ json, isTerminal, env }), mode);
  });
}

it('takes colours from the terminal, and none where there is no terminal', () => {
  const size = { columns: 80, rows: 24 };
  assert.equal(takesColour(fakeTerminal({ ...size, colours: true }).stream), true);
  assert.equal(takesColour(fakeTerminal({ ...size, colours: false }).stream), false);
  assert.equal(takesColour(fakeTerminal({ ...size, colours: true, isTTY: false }).stream), false);
});
