import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { CoreEvent } from '../core/events.ts';
import { createInbox, inboxEventsMax } from './inbox.ts';

const anEvent = (sequence: number): CoreEvent => ({ kind: 'published', sequence });

it('hands out what waits, oldest first, once', async () => {
  const inbox = createInbox();
  const filled = inbox.filled();
  inbox.post(anEvent(1));
  inbox.post(anEvent(2));
  await filled;
  assert.deepEqual(inbox.drain(), [anEvent(1), anEvent(2)]);
  assert.deepEqual(inbox.drain(), []);
});

it('ends the job with a reason when it is full, and never throws', () => {
  const inbox = createInbox();
  for (let i = 0; i < inboxEventsMax + 50; i++) inbox.post(anEvent(i));
  assert.equal(inbox.depth, inboxEventsMax + 1);
  const last = inbox.drain().at(-1);
  assert.equal(last?.kind === 'broken' && last.code, 'Internal');
  assert.match(last?.kind === 'broken' ? last.message : '', /inbox holds 10000 events and takes no more/);
  inbox.post(anEvent(1));
  assert.deepEqual(inbox.drain(), [anEvent(1)]);
});
