import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { createInbox } from './inbox.ts';

const gone = new ThawError('Internal', 'the comms thread ended with exit code 7');

test('the end of the comms thread rejects every wait, present and coming', async () => {
  const inbox = createInbox();
  const waits = [
    inbox.welcome(),
    inbox.nextDirective(),
    inbox.request(() => {}),
    inbox.interruptible(new Promise(() => {})),
  ];
  const rejected = waits.map((wait) => assert.rejects(wait, gone));
  inbox.ended(gone);
  await Promise.all(rejected);
  assert.throws(() => inbox.check(), gone);
  await assert.rejects(inbox.nextDirective(), gone);
});

test('closing ends with the comms thread, whether it ended before or meanwhile', async () => {
  const [before, meanwhile] = [createInbox(), createInbox()];
  before.ended(gone);
  await before.closed();
  const closing = meanwhile.closed();
  meanwhile.ended(gone);
  await closing;
});

test('a fatal error does not end the closing: what was sent last is still on its way', async () => {
  const inbox = createInbox();
  let isClosed = false;
  const closing = inbox.closed().then(() => {
    isClosed = true;
  });
  inbox.receive({ kind: 'fatal', code: 'BrokerLost', message: 'gone' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, false);
  inbox.receive({ kind: 'closed' });
  await closing;
});

test('a thread that ends because it was closed is no failure', async () => {
  const inbox = createInbox();
  const closing = inbox.closed();
  inbox.receive({ kind: 'closed' });
  await closing;
  inbox.ended(gone);
  inbox.check();
});
