// Ctrl-C and its kin for a command with children: the first one asks for an orderly end, a second one is not waited for.

export interface Stopping {
  /** Resolves with the signal's name. */
  readonly requested: Promise<NodeJS.Signals>;
  readonly asked: boolean;
  /** Signals end this process again as they would. */
  release(): void;
}

const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** `again`: called on every signal after the first. */
export function watchSignals(again: () => void): Stopping {
  let asked = false;
  let request = (_signal: NodeJS.Signals): void => undefined;
  const requested = new Promise<NodeJS.Signals>((resolve) => {
    request = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) again();
    asked = true;
    request(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    requested,
    get asked() {
      return asked;
    },
    release() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
