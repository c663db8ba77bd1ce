// Keeps one control stream to the coordinator open, as the adapter over gRPC does: reconnects with back-off, and ends the
// process when the coordinator stays away.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import type { Session } from '@thaw/trainer/comms/session.ts';
import { ControlStream } from './control-stream.ts';
import type { TrainerProcess } from './trainer-process.ts';

const firstRetryMilliseconds = 100;
const lastRetryMilliseconds = 1000;
const giveUpMilliseconds = 10_000;

export class Connection {
  readonly #owner: TrainerProcess;
  readonly #session: Session;
  #stream: ControlStream | null = null;
  #awaySince = 0;
  #retry = firstRetryMilliseconds;
  #isClosed = false;

  constructor(owner: TrainerProcess, session: Session) {
    this.#owner = owner;
    this.#session = session;
    this.#awaySince = owner.world.time.now;
  }

  open(): void {
    const { world } = this.#owner;
    this.#owner.after(world.draw('network', world.scenario.control), () => this.#opened());
  }

  break(isNoticed: boolean): void {
    this.#stream?.break(isNoticed);
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
  }

  #opened(): void {
    if (this.#isClosed) return;
    const { world, name } = this.#owner;
    if (!world.coordinator.isUp || this.#owner.isCutOff('session')) {
      this.#tryAgain();
      return;
    }
    const stream = new ControlStream(
      world,
      {
        received: (message) => this.#owner.run(() => this.#stream === stream && this.#session.received(message)),
        lost: (reason) => this.#owner.run(() => this.#lost(stream, reason)),
      },
      world.coordinator.sessions,
    );
    world.coordinator.sessions.opened(stream);
    this.#stream = stream;
    this.#retry = firstRetryMilliseconds;
    world.journal.note(name, 'connected');
    this.#session.opened({ send: (message) => stream.send(message), end: () => stream.close() });
  }

  #lost(stream: ControlStream, reason: string): void {
    if (this.#stream !== stream) return;
    this.#stream = null;
    this.#session.lost();
    this.#awaySince = this.#owner.world.time.now;
    this.#owner.world.journal.note(this.#owner.name, reason);
    this.#tryAgain();
  }

  #tryAgain(): void {
    const away = this.#owner.world.time.now - this.#awaySince;
    if (away > giveUpMilliseconds) {
      this.#owner.fail(new ThawError('CoordinatorLost', `not reachable for ${away / 1000} s`));
      return;
    }
    this.#owner.after(this.#retry, () => this.open());
    this.#retry = Math.min(2 * this.#retry, lastRetryMilliseconds);
  }
}
