// When to ask again: after no progress for max(250 ms, 4 x usual), then each time twice as long, up to a limit. Knows
// time only as an argument.

const quietMillisecondsMin = 250;
const quietMillisecondsMax = 2000;
const usualFactor = 4;
/** The very first step asks sooner: whoever subscribed late has missed announcements for certain. */
const firstQuietMilliseconds = 25;
/** Weight of the newest gap in the usual one. */
const smoothing = 0.1;

export interface NackPacer {
  /** `progressed`: something came since the last call. Returns the attempt's number when it is time to ask, else null. */
  tick(now: number, progressed: boolean): number | null;
}

export function nackPacer(): NackPacer {
  let usual = 0;
  let progressAt: number | null = null;
  let askAt = 0;
  let attempt = 0;
  const quiet = (): number =>
    Math.min(quietMillisecondsMax, Math.max(quietMillisecondsMin, usualFactor * usual) * 2 ** Math.min(attempt, 10));
  return {
    tick(now, progressed) {
      if (progressed || progressAt === null) {
        if (progressAt !== null) usual += smoothing * (now - progressAt - usual);
        attempt = 0;
        askAt = now + (progressAt === null ? firstQuietMilliseconds : quiet());
        progressAt = now;
        return null;
      }
      if (now < askAt) return null;
      const asked = attempt++;
      askAt = now + quiet();
      return asked;
    },
  };
}
