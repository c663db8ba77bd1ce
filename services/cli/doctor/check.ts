// What the doctor finds out about one part.

export interface Check {
  readonly part: string;
  /** `missing`: needed, and not there. `note`: Thaw runs without it, but it is worth knowing. */
  readonly state: 'ok' | 'note' | 'missing';
  /** Version, place, figures: what is there. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

export const setUpAdvice = 'run any other command of ./thaw, which sets up what is missing';

export function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.trim().split('\n')[0] ?? 'no reason given';
}
