// Which trainers are alive, by monotonic time. Volatile: never stored, and a trainer that was late while the
// coordinator itself was late is given that time back.

/** A closed session may come back within this time. */
export const reconnectMilliseconds = 1000;
/** Any message counts as a sign of life; trainers send heartbeats every second. */
export const silenceMilliseconds = 5000;

export interface Liveness {
  heard(incarnation: string, now: number): void;
  closed(incarnation: string, now: number): void;
  forget(incarnation: string): void;
  /** Those that are lost, with the reason. `late`: milliseconds that this check itself came too late. */
  check(now: number, late: number): readonly { readonly incarnation: string; readonly reason: string }[];
}

interface Signs {
  heardAt: number;
  closedAt: number | null;
}

export function createLiveness(): Liveness {
  const signs = new Map<string, Signs>();
  return {
    heard(incarnation, now) {
      signs.set(incarnation, { heardAt: now, closedAt: null });
    },
    closed(incarnation, now) {
      const known = signs.get(incarnation);
      if (known) known.closedAt ??= now;
    },
    forget(incarnation) {
      signs.delete(incarnation);
    },
    check(now, late) {
      const lost: { incarnation: string; reason: string }[] = [];
      for (const [incarnation, sign] of signs) {
        if (late > 0) {
          sign.heardAt += late;
          if (sign.closedAt !== null) sign.closedAt += late;
        }
        const reason = reasonOf(sign, now);
        if (reason === null) continue;
        signs.delete(incarnation);
        lost.push({ incarnation, reason });
      }
      return lost;
    },
  };
}

function reasonOf({ heardAt, closedAt }: Signs, now: number): string | null {
  if (closedAt !== null && now - closedAt >= reconnectMilliseconds) {
    return `its session closed and did not come back within ${reconnectMilliseconds / 1000} s`;
  }
  if (now - heardAt >= silenceMilliseconds) return `no heartbeat for ${silenceMilliseconds / 1000} s`;
  return null;
}
