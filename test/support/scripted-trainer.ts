// A trainer's side of the control stream over real gRPC, without an engine: it fetches the artifacts, says it is ready,
// and answers each directive with what the script says. For tests of the coordinator.

import { fetchBlob, storeBlob } from '@thaw/proto/client/blob-client.ts';
import { connectBlobs, connectSession } from '@thaw/proto/client/connect.ts';
import type { CoordinatorMessage__Output } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { Directive__Output } from '@thaw/proto/gen/thaw/v1/Directive.ts';
import type { Report } from '@thaw/proto/gen/thaw/v1/Report.ts';
import type { TrainerMessage } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import type { Welcome__Output } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import { protocolVersion } from '@thaw/proto/protocol-version.ts';

export interface TrainerScript {
  readonly probeDigest?: string;
  /** Answers a directive; null says nothing. */
  answer(directive: Directive__Output, trainer: ScriptedTrainer): Promise<Omit<Report, 'term' | 'revision'> | null>;
}

const heartbeatMilliseconds = 500;

export class ScriptedTrainer {
  readonly name: string;
  readonly incarnation: string;
  readonly received: CoordinatorMessage__Output[] = [];
  readonly #script: TrainerScript;
  readonly #session;
  readonly #blobs;
  readonly #stream;
  readonly #heartbeat: NodeJS.Timeout;
  #revision = 0;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;

  constructor(address: string, index: number, script: TrainerScript) {
    this.name = `trainer-${index}`;
    this.incarnation = index.toString(16).padStart(16, 'a');
    this.#script = script;
    this.#session = connectSession(address);
    this.#blobs = connectBlobs(address);
    this.#stream = this.#session.open();
    this.ended = new Promise((resolve) => {
      this.#stream.on('end', resolve);
      this.#stream.on('error', () => resolve());
      this.#stream.on('close', resolve);
    });
    this.#stream.on('data', (message: CoordinatorMessage__Output) => void this.#receive(message));
    this.#heartbeat = setInterval(() => this.send({ heartbeat: { step: 0, phase: 'idle' } }), heartbeatMilliseconds);
    const { name, incarnation } = this;
    this.send({ hello: { protocolVersion, incarnation, name, pid: process.pid, highestTerm: 0, jobDigest: '' } });
  }

  send(message: TrainerMessage): void {
    if (!this.#stream.closed) this.#stream.write(message);
  }

  fetch(digest: string): Promise<Uint8Array> {
    return fetchBlob(this.#blobs, digest);
  }

  store(bytes: Uint8Array) {
    return storeBlob(this.#blobs, bytes);
  }

  /** Goes away without a word, as a killed process does. */
  vanish(): void {
    clearInterval(this.#heartbeat);
    this.#stream.cancel();
    this.#session.close();
    this.#blobs.close();
  }

  directives(): Directive__Output[] {
    return this.received.flatMap(({ directive }) => directive ?? []);
  }

  async #receive(message: CoordinatorMessage__Output): Promise<void> {
    this.received.push(message);
    if (message.welcome) await this.#welcomed(message.welcome);
    const { directive } = message;
    if (!directive) return;
    this.send({ ack: { term: directive.term, revision: directive.revision } });
    if (directive.revision <= this.#revision) return;
    this.#revision = directive.revision;
    const result = await this.#script.answer(directive, this);
    if (result) this.send({ report: { term: directive.term, revision: directive.revision, ...result } });
    if (directive.finish) {
      clearInterval(this.#heartbeat);
      this.#stream.end();
      await this.ended;
      this.#session.close();
      this.#blobs.close();
    }
  }

  async #welcomed(welcome: Welcome__Output): Promise<void> {
    const { jobDigest, graphDigest, manifestDigest, weightsDigests } = welcome;
    for (const digest of [jobDigest, graphDigest, manifestDigest, ...weightsDigests]) await this.fetch(digest);
    const engineClass = { engine: 'cpu', version: '1', device: 'cpu', cpuFeatures: '', threads: 1 };
    this.send({ ready: { engineClass, probeDigest: this.#script.probeDigest ?? 'probe', metricsPort: 0 } });
  }
}
