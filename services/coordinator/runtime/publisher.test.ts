import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { OutboxEvent } from '../core/event-log.ts';
import { createPublisher, linesMax } from './publisher.ts';

function anEvent(sequence: number): OutboxEvent {
  return { id: `1.${sequence}`, sequence, at: 0, entry: { kind: 'jobCancelled', reason: `${sequence}` } };
}

function recorded(append: (event: OutboxEvent) => Promise<void> = async () => undefined) {
  const published: number[] = [];
  const failed: ThawError[] = [];
  const projected: number[] = [];
  const project = async ({ sequence }: OutboxEvent): Promise<void> => void projected.push(sequence);
  const publisher = createPublisher(
    { append, project },
    { published: ({ sequence }) => published.push(sequence), failed: (error) => failed.push(error) },
  );
  return { publisher, published, projected, failed };
}

it('publishes each entry once and in order, however often it is offered', async () => {
  const { publisher, published } = recorded();
  publisher.offer([anEvent(1), anEvent(2)]);
  publisher.offer([anEvent(1), anEvent(2), anEvent(3)]);
  await publisher.idle();
  publisher.offer([anEvent(3), anEvent(4)]);
  await publisher.idle();
  assert.deepEqual(published, [1, 2, 3, 4]);
});

it('says that the file could not be written, once, and goes on to the end', async () => {
  const { publisher, published, projected, failed } = recorded(async ({ sequence }) => {
    if (sequence === 2) throw new ThawError('StorageFailed', 'disk full');
  });
  publisher.offer([anEvent(1), anEvent(2), anEvent(3)]);
  await publisher.idle();
  assert.deepEqual(published, [1]);
  assert.deepEqual(projected, [2, 3]);
  assert.deepEqual(
    failed.map(({ code }) => code),
    ['StorageFailed'],
  );
});

it('writes what is left to the file alone when the stream is gone, also what just waits for an answer', async () => {
  const { publisher, published, projected, failed } = recorded(async ({ sequence }) => {
    if (sequence === 1) return;
    publisher.streamGone();
    throw new ThawError('BrokerLost', 'no answer');
  });
  publisher.offer([anEvent(1), anEvent(2)]);
  publisher.offer([anEvent(3)]);
  await publisher.idle();
  assert.deepEqual([published, projected, failed], [[1], [2, 3], []]);
});

it('writes nothing after a line that the file did not take, which would be a gap', async () => {
  const tried: number[] = [];
  const failed: ThawError[] = [];
  const diskFull = (): Promise<never> => Promise.reject(new ThawError('StorageFailed', 'disk full'));
  const project = ({ sequence }: OutboxEvent): Promise<void> => {
    tried.push(sequence);
    return sequence < 2 ? Promise.resolve() : diskFull();
  };
  const handlers = { published: () => undefined, failed: (error: ThawError) => failed.push(error) };
  const publisher = createPublisher({ append: diskFull, project }, handlers);
  publisher.offer([anEvent(1), anEvent(2), anEvent(3)]);
  await publisher.idle();
  assert.deepEqual([tried, failed.length], [[1, 2], 1]);
});

it('keeps the newest lines for those who watch', async () => {
  const { publisher } = recorded();
  publisher.offer(Array.from({ length: linesMax + 5 }, (_, i) => anEvent(i + 1)));
  await publisher.idle();
  const { lines, next } = publisher.lines(0);
  assert.equal(lines.length, linesMax);
  assert.equal(next, linesMax + 5);
  assert.match(lines.at(-1) ?? '', /"id":"1\.1005"/);
  assert.deepEqual(publisher.lines(next).lines, []);
  assert.equal(publisher.lines(next - 2).lines.length, 2);
});
