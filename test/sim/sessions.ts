// The coordinator's ends of all control streams, as its session service keeps them: a stream belongs to the incarnation
// that its hello names, and a newer one of the same incarnation replaces it.

import type { ErrorCode } from '@thaw/common/errors/catalogue.ts';
import type { CoordinatorMessage } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { ControlStream, CoordinatorEnd } from './control-stream.ts';

export interface SessionHandlers {
  message(from: string, message: TrainerMessage__Output): void;
  closed(from: string): void;
}

export class ModelSessions implements CoordinatorEnd {
  readonly #handlers: SessionHandlers;
  readonly #all = new Set<ControlStream>();
  readonly #byIncarnation = new Map<string, ControlStream>();
  readonly #incarnations = new Map<ControlStream, string>();

  constructor(handlers: SessionHandlers) {
    this.#handlers = handlers;
  }

  opened(stream: ControlStream): void {
    this.#all.add(stream);
  }

  received(stream: ControlStream, message: TrainerMessage__Output): void {
    if (!this.#all.has(stream)) return;
    if (message.hello) {
      const { incarnation } = message.hello;
      this.#byIncarnation.get(incarnation)?.end();
      this.#byIncarnation.set(incarnation, stream);
      this.#incarnations.set(stream, incarnation);
    }
    this.#handlers.message(this.#incarnations.get(stream) ?? '', message);
  }

  ended(stream: ControlStream): void {
    const from = this.#incarnations.get(stream) ?? '';
    this.#all.delete(stream);
    this.#incarnations.delete(stream);
    if (this.#byIncarnation.get(from) !== stream) return;
    this.#byIncarnation.delete(from);
    this.#handlers.closed(from);
  }

  send(to: string, message: CoordinatorMessage): void {
    this.#byIncarnation.get(to)?.reply(message);
  }

  refuse(to: string, code: ErrorCode, message: string): void {
    this.send(to, { refusal: { code, message } });
    this.disconnect(to);
  }

  /** The trainer's end closes once it has read everything; until then it still belongs to its incarnation. */
  disconnect(to: string): void {
    const stream = this.#byIncarnation.get(to);
    if (!stream) return;
    stream.end();
    this.ended(stream);
  }

  open(): number {
    return this.#all.size;
  }

  closeAll(): void {
    for (const stream of this.#all) stream.end();
  }

  /** The process is gone. */
  breakAll(): void {
    for (const stream of this.#all) stream.break(false);
    this.#all.clear();
    this.#byIncarnation.clear();
    this.#incarnations.clear();
  }
}
