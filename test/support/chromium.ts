// A page in a real browser without a screen, driven over Chromium's own protocol on two pipes: what it logs, what it
// asks of the network, and what its scripts answer. Where Chromium is not installed such tests are skipped, loudly.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

const programs = ['chromium', 'chromium-browser', 'google-chrome'] as const;
const answerMilliseconds = 60_000;

/** Path of the browser; a test skips without one. */
export function chromiumFile(): string | null {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = folders.flatMap((folder) => programs.map((name) => path.join(folder, name))).find(isProgram);
  if (!found) console.error(`\nNOT TESTED in a browser: no ${programs.join(', ')} on PATH\n`);
  return found ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Page {
  /** What was logged as an error or a warning, thrown, or refused by a policy. */
  readonly complaints: readonly string[];
  /** Addresses that were asked for; left out are the page's own, data:, and what the page's policy kept it from. */
  requests(): readonly string[];
  /** Sets the size of the window in CSS pixels, and what the media queries are told. */
  show(view: View): Promise<void>;
  /** Value of an expression, as JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /** PNG of the whole page. */
  picture(): Promise<Uint8Array>;
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme?: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
}

/** Opens a file, gives the loaded page to `work`, and ends the browser after it whatever happens. */
export async function withPage<T>(browser: string, file: string, work: (page: Page) => Promise<T>): Promise<T> {
  const profile = await mkdtemp(path.join(tmpdir(), 'thaw-chromium-'));
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    return await work(await openPage(child, `file://${encodeURI(file)}`));
  } finally {
    // The browser and the processes that it started are one group.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
] as const;

async function openPage(child: ChildProcess, address: string): Promise<Page> {
  const complaints: string[] = [];
  const requests = new Map<string, string>();
  const link = protocolLink(child);
  const { targetId } = await link.call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await link.call('Target.attachToTarget', { targetId, flatten: true });
  const call = (method: string, parameters: Fields = {}): Promise<Fields> =>
    link.call(method, parameters, String(sessionId));
  link.on('Log.entryAdded', ({ entry }) => complaints.push(`${entry.level}: ${entry.text}`));
  link.on('Runtime.consoleAPICalled', ({ type, args }) => complaints.push(`${type}: ${JSON.stringify(args)}`));
  link.on('Runtime.exceptionThrown', ({ exceptionDetails }) => complaints.push(JSON.stringify(exceptionDetails)));
  link.on('Network.requestWillBeSent', ({ requestId, request: { url } }) => {
    if (url !== address && !url.startsWith('data:')) requests.set(requestId, url);
  });
  link.on('Network.loadingFailed', ({ requestId, blockedReason }) => {
    if (blockedReason === 'csp') requests.delete(requestId);
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await call(`${domain}.enable`);
  const loaded = link.once('Page.loadEventFired');
  await call('Page.navigate', { url: address });
  await loaded;
  return {
    complaints,
    requests: () => [...requests.values()],
    async show({ width, height, scheme = 'light', media = 'screen' }) {
      await call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await call('Emulation.setEmulatedMedia', { media, features });
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
      return result.value;
    },
    async picture() {
      const { data } = await call('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(String(data), 'base64');
    },
  };
}

/** What Chromium sends: its protocol is described at chromedevtools.github.io, and checked by what the tests need of it. */
// biome-ignore lint/suspicious/noExplicitAny: the other side's JSON, read field by field
type Fields = Record<string, any>;

interface ProtocolLink {
  call(method: string, parameters: Fields, sessionId?: string): Promise<Fields>;
  on(method: string, handle: (parameters: Fields) => void): void;
  once(method: string): Promise<void>;
}

/** Messages are JSON, each ended by a zero byte. */
function protocolLink(child: ChildProcess): ProtocolLink {
  const [output, input] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, { resolve: (result: Fields) => void; reject: (error: Error) => void }>();
  const handlers = new Map<string, ((parameters: Fields) => void)[]>();
  let calls = 0;
  let text = '';
  const fail = (why: string): void => {
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  };
  child.once('error', ({ message }) => fail(`no browser: ${message}`));
  child.once('close', (code, signal) => fail(`the browser ended with ${signal ?? code}`));
  output.on('error', () => undefined); // said by close
  input.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (text + chunk).split('\0');
    text = messages.pop() ?? '';
    for (const message of messages.map((one) => JSON.parse(one) as Fields)) {
      for (const handle of handlers.get(message.method) ?? []) handle(message.params);
      const call = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) call?.reject(new Error(JSON.stringify(message.error)));
      else call?.resolve(message.result);
    }
  });
  const on = (method: string, handle: (parameters: Fields) => void): void => {
    handlers.set(method, [...(handlers.get(method) ?? []), handle]);
  };
  return {
    on,
    once: (method) => new Promise((resolve) => on(method, () => resolve())),
    call(method, params, sessionId) {
      calls += 1;
      const id = calls;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), answerMilliseconds);
        const settle =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer);
            then(value);
          };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        output.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
      });
    },
  };
}
