// Turns messages from the comms thread into promises for the compute thread. After a fatal error every wait, present
// and coming, rejects with it; a newer directive rejects the one wait that asked to be interrupted.

import { errorCodeOf } from '@thaw/common/errors/catalogue.ts';
import { invariant, ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Plan__Output } from '@thaw/proto/gen/thaw/v1/Plan.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import type { FromComms } from './messages.ts';

/** The work at hand was overtaken by a newer directive; it is dropped, never reported. */
export class Superseded extends Error {
  constructor() {
    super('a newer directive has arrived');
    this.name = 'Superseded';
  }
}

export interface Inbox {
  receive(message: FromComms): void;
  fail(error: ThawError): void;
  /** Throws the fatal error, if there was one. */
  check(): void;
  welcome(): Promise<Welcome__Output>;
  nextDirective(): Promise<Directive__Output>;
  /** The newest plan so far; null before the first one. */
  plan(): Plan__Output | null;
  /** Settles as `work` does, or rejects with Superseded or the fatal error, whichever is first. One at a time. */
  interruptible<T>(work: Promise<T>): Promise<T>;
  request<T>(post: (id: number) => void): Promise<T>;
  /** The comms thread is gone: `error` is fatal, unless somebody waits for the end, which this is. */
  ended(error: ThawError): void;
  /** Resolves when the comms thread has said everything and closed, or has ended. */
  closed(): Promise<void>;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export function createInbox(): Inbox {
  let failure: ThawError | null = null;
  let welcome: Welcome__Output | null = null;
  let directive: Directive__Output | null = null;
  let plan: Plan__Output | null = null;
  let interrupt: ((error: Error) => void) | null = null;
  let nextId = 1;
  const welcomeWaiters: Waiter<Welcome__Output>[] = [];
  const directiveWaiters: Waiter<Directive__Output>[] = [];
  const closeWaiters: (() => void)[] = [];
  let hasEnded = false;
  let isClosing = false;
  const requests = new Map<number, Waiter<unknown>>();

  const fail = (error: ThawError): void => {
    failure ??= error;
    for (const waiter of [...welcomeWaiters.splice(0), ...directiveWaiters.splice(0), ...requests.values()]) {
      waiter.reject(failure);
    }
    requests.clear();
    interrupt?.(failure);
  };
  const wait = <T>(waiters: Waiter<T>[]): Promise<T> =>
    failure ? Promise.reject(failure) : new Promise((resolve, reject) => waiters.push({ resolve, reject }));
  const answer = (id: number): Waiter<unknown> => {
    const waiter = requests.get(id);
    invariant(waiter !== undefined, `an answer from the comms thread to request ${id}, which nobody made`);
    requests.delete(id);
    return waiter;
  };
  const receivedDirective = (received: Directive__Output): void => {
    const waiter = directiveWaiters.shift();
    if (waiter) waiter.resolve(received);
    else directive = received;
    interrupt?.(new Superseded());
  };

  return {
    receive: (message) => dispatch(message),
    fail,
    check() {
      if (failure) throw failure;
    },
    welcome: () => (welcome ? Promise.resolve(welcome) : wait(welcomeWaiters)),
    nextDirective() {
      const held = directive;
      directive = null;
      return held && !failure ? Promise.resolve(held) : wait(directiveWaiters);
    },
    plan: () => plan,
    interruptible<T>(work: Promise<T>) {
      invariant(interrupt === null, 'two interruptible waits at once');
      return new Promise<T>((resolve, reject) => {
        interrupt = reject;
        if (failure) reject(failure);
        if (directive) reject(new Superseded());
        work.then(resolve, reject);
      }).finally(() => {
        interrupt = null;
      });
    },
    request<T>(post: (id: number) => void) {
      const id = nextId++;
      return new Promise<T>((resolve, reject) => {
        if (failure) return reject(failure);
        requests.set(id, { resolve: resolve as (value: unknown) => void, reject });
        post(id);
      });
    },
    ended(error) {
      hasEnded = true;
      if (!isClosing) fail(error);
      for (const resolve of closeWaiters.splice(0)) resolve();
    },
    closed() {
      isClosing = true;
      return hasEnded ? Promise.resolve() : new Promise((resolve) => closeWaiters.push(resolve));
    },
  };

  function dispatch(message: FromComms): void {
    switch (message.kind) {
      case 'welcome':
        welcome = message.welcome;
        for (const waiter of welcomeWaiters.splice(0)) waiter.resolve(message.welcome);
        return;
      case 'directive':
        receivedDirective(message.directive);
        return;
      case 'plan':
        plan = message.plan;
        return;
      case 'fetched':
        answer(message.id).resolve(message.bytes);
        return;
      case 'stored':
        answer(message.id).resolve({ digest: message.digest, bytes: message.bytes });
        return;
      case 'refused':
        answer(message.id).reject(new ThawError(errorCodeOf(message.code), message.message));
        return;
      case 'fatal':
        fail(new ThawError(errorCodeOf(message.code), message.message));
        return;
      case 'closed':
        for (const resolve of closeWaiters.splice(0)) resolve();
        return;
      case 'started':
        return;
    }
  }
}
