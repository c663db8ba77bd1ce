// Which trainers are alive, by monotonic time. Volatile: never stored, and a trainer that was late while the
// coordinator itself was late is given that time back. One that waits for another is never lost for standing still.

/** A closed session may come back within this time. */
export const reconnectMilliseconds = 1000;
/** Any message counts as a sign of life; trainers send heartbeats every second. */
export const silenceMilliseconds = 5000;
/** Ticks that stand still for this long, and for ten times the trainer's slowest one, mean that it hangs. */
export const hungMilliseconds = 60_000;
const hungSlowestTicks = 10;

/**
 * Phases that tick: once a micro-batch or a block. In the others (loading, exchange, apply, idle) nothing is waited for;
 * the blocks of the probe tick while loading, and tell how long a block takes before the first one is waited for.
 */
const tickingPhases: readonly string[] = ['features', 'compute', 'evaluate'];

/** From a heartbeat. */
export interface Work {
  readonly phase: string;
  readonly ticks: number;
  /** Empty while it waits for nobody. */
  readonly waitingFor: string;
}

export interface Liveness {
  /** Any message; `work` when it was a heartbeat. */
  heard(incarnation: string, now: number, work?: Work | null): void;
  closed(incarnation: string, now: number): void;
  forget(incarnation: string): void;
  /** Those that are lost, with the reason. `late`: milliseconds that this check itself came too late. */
  check(now: number, late: number): readonly { readonly incarnation: string; readonly reason: string }[];
}

interface Signs {
  heardAt: number;
  closedAt: number | null;
  work: Work | null;
  /** When the work last moved, or could not be expected to. */
  movedAt: number;
  /** When it last ticked in the phase that it is in. */
  tickedAt: number | null;
  slowestTickMilliseconds: number;
}

export function createLiveness(): Liveness {
  const signs = new Map<string, Signs>();
  return {
    heard(incarnation, now, work) {
      const sign = signs.get(incarnation) ?? newSigns(now);
      sign.heardAt = now;
      sign.closedAt = null;
      if (work) noteWork(sign, work, now);
      signs.set(incarnation, sign);
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
        if (late > 0) giveBack(sign, late);
        const reason = reasonOf(sign, now);
        if (reason === null) continue;
        signs.delete(incarnation);
        lost.push({ incarnation, reason });
      }
      return lost;
    },
  };
}

function newSigns(now: number): Signs {
  return { heardAt: now, closedAt: null, work: null, movedAt: now, tickedAt: null, slowestTickMilliseconds: 0 };
}

function giveBack(sign: Signs, late: number): void {
  sign.heardAt += late;
  sign.movedAt += late;
  if (sign.tickedAt !== null) sign.tickedAt += late;
  if (sign.closedAt !== null) sign.closedAt += late;
}

function noteWork(sign: Signs, work: Work, now: number): void {
  const before = sign.work;
  sign.work = work;
  noteTicks(sign, { before, work, now });
  const samePhase = before !== null && before.phase === work.phase && isExpectedToTick(before);
  if (samePhase && isExpectedToTick(work) && before.ticks === work.ticks) return;
  if (samePhase && before.ticks !== work.ticks) noteTick(sign, now - sign.movedAt);
  sign.movedAt = now;
}

/** Between two ticks of one phase lies a block, whatever the phase. */
function noteTicks(
  sign: Signs,
  { before, work, now }: { readonly before: Work | null; readonly work: Work; readonly now: number },
): void {
  if (before?.phase !== work.phase) sign.tickedAt = null;
  else if (before.ticks !== work.ticks) {
    if (sign.tickedAt !== null && !isExpectedToTick(before)) noteTick(sign, now - sign.tickedAt);
    sign.tickedAt = now;
  }
}

function noteTick(sign: Signs, milliseconds: number): void {
  sign.slowestTickMilliseconds = Math.max(sign.slowestTickMilliseconds, milliseconds);
}

function isExpectedToTick({ phase, waitingFor }: Work): boolean {
  return waitingFor === '' && tickingPhases.includes(phase);
}

function reasonOf(sign: Signs, now: number): string | null {
  const { heardAt, closedAt, work, movedAt, slowestTickMilliseconds } = sign;
  if (closedAt !== null && now - closedAt >= reconnectMilliseconds) {
    return `its session closed and did not come back within ${reconnectMilliseconds / 1000} s`;
  }
  if (now - heardAt >= silenceMilliseconds) return `no heartbeat for ${silenceMilliseconds / 1000} s`;
  const stillMax = Math.max(hungMilliseconds, hungSlowestTicks * slowestTickMilliseconds);
  if (work && isExpectedToTick(work) && now - movedAt >= stillMax) {
    return `hung in ${work.phase}: no progress for ${Math.round((now - movedAt) / 1000)} s`;
  }
  return null;
}
