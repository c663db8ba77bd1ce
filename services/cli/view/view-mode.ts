// Which view a run gets. A live one needs a terminal that people look at; what is piped, recorded by a CI system or
// shown on a terminal that cannot move its cursor gets plain lines.

export type ViewMode = 'live' | 'plain' | 'json';

export interface ViewSurroundings {
  /** Asked for on the command line. */
  readonly json: boolean;
  /** Of stderr, where progress is shown: a piped stdout gets the result and nothing else. */
  readonly isTerminal: boolean;
  readonly env: NodeJS.ProcessEnv;
}

export function viewMode({ json, isTerminal, env }: ViewSurroundings): ViewMode {
  if (json) return 'json';
  const inCi = env.CI !== undefined && !['', '0', 'false'].includes(env.CI);
  return isTerminal && !inCi && env.TERM !== 'dumb' ? 'live' : 'plain';
}

/** Whether a stream takes colours: it is a terminal with some, and neither NO_COLOR nor TERM=dumb is set. */
export function takesColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && stream.hasColors();
}
