import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoordinatorMessage__Output } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import { createSession } from './session.ts';

function aSession() {
  const sent: TrainerMessage[] = [];
  const directives: number[] = [];
  const plans: number[] = [];
  const fatal: string[] = [];
  const session = createSession(
    { incarnation: '00000000000000aa', name: 'trainer-0', pid: 1 },
    {
      welcome: () => {},
      directive: (directive) => directives.push(directive.revision),
      plan: ({ number }) => plans.push(number),
      fatal: (error) => fatal.push(`${error.code}: ${error.message}`),
    },
  );
  const open = () => session.opened({ send: (message) => sent.push(message), end: () => {} });
  const directive = (term: number, revision: number) =>
    session.received({ body: 'directive', directive: { term, revision } } as CoordinatorMessage__Output);
  const plan = (term: number, number: number) =>
    session.received({ body: 'plan', plan: { term, number } } as CoordinatorMessage__Output);
  return { session, sent, directives, plans, fatal, open, directive, plan };
}

test('a plan is handed on once, and never one of an older term or number', () => {
  const { open, directive, plan, plans } = aSession();
  open();
  directive(2, 4);
  plan(2, 3);
  plan(2, 3);
  plan(1, 4);
  plan(2, 2);
  assert.deepEqual(plans, [3]);
});

test('the newest snapshot is said again after a reconnect', () => {
  const { session, open, sent } = aSession();
  open();
  for (const step of [7, 9]) session.send({ snapshotTaken: { step } });
  session.lost();
  open();
  assert.deepEqual(
    sent.flatMap(({ snapshotTaken }) => snapshotTaken?.step ?? []),
    [7, 9, 9],
  );
});

test('a directive is handed on once however often it is sent', () => {
  const { open, directive, directives, sent } = aSession();
  open();
  directive(1, 4);
  directive(1, 4);
  assert.deepEqual(directives, [4]);
  assert.equal(sent.filter((message) => message.ack).length, 2);
});

test('a directive that was done already is answered with the report held', () => {
  const { session, open, directive, sent } = aSession();
  open();
  directive(1, 4);
  session.send({ report: { term: 1, revision: 4, finished: {} } });
  session.lost();
  open();
  directive(2, 4);
  const last = sent.at(-1);
  assert.equal(last?.report?.revision, 4);
  assert.equal(last?.report?.term, 2);
});

test('a directive of a lower term is ignored', () => {
  const { open, directive, directives } = aSession();
  open();
  directive(3, 4);
  directive(2, 9);
  assert.deepEqual(directives, [4]);
});

test('a report made while no stream is up is said again when the directive comes back', () => {
  const { session, open, directive, sent } = aSession();
  open();
  directive(1, 4);
  session.lost();
  session.send({ report: { term: 1, revision: 4, finished: {} } });
  session.send({ failure: { code: 'NonFinite', message: 'loss' } });
  open();
  assert.equal(sent.filter((message) => message.failure).length, 1);
  directive(1, 4);
  assert.equal(sent.at(-1)?.report?.revision, 4);
});

const refusals = [
  { code: 'VersionUnknown', error: /^VersionUnknown: the coordinator refused this trainer: found 9$/ },
  { code: 'EngineClassMismatch', error: /^EngineClassMismatch: the coordinator refused this trainer: found 9$/ },
  { code: 'FromTheFuture', error: /^ProtocolViolation: the coordinator refused this trainer: FromTheFuture: found 9$/ },
  { code: 'toString', error: /^ProtocolViolation: .*: toString: found 9$/ },
];

for (const { code, error } of refusals) {
  test(`a refusal as ${code} ends the session with its code and reason`, () => {
    const { session, open, fatal } = aSession();
    open();
    session.received({ body: 'refusal', refusal: { code, message: 'found 9' } } as CoordinatorMessage__Output);
    assert.match(fatal[0] ?? '', error);
  });
}
