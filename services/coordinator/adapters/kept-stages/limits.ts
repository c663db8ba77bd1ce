// Which things of a cache have to go: all that were unused for too long, and then those used longest ago until the rest
// fits. Pure.

export interface Limits {
  readonly bytesMax: number;
  /** Things unused for longer go. */
  readonly millisecondsMax: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Used {
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
}

/** Once one does not fit, none that is older stays. */
export function beyondLimits<T extends Used>(things: readonly T[], { bytesMax, millisecondsMax, now }: Limits): T[] {
  let bytes = 0;
  let isFull = false;
  return [...things]
    .sort((a, b) => b.usedAt - a.usedAt)
    .filter((thing) => {
      if (now - thing.usedAt > millisecondsMax) return true;
      isFull ||= bytes + thing.bytes > bytesMax;
      if (!isFull) bytes += thing.bytes;
      return isFull;
    });
}
