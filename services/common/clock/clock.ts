// Time as an argument. `monotonic` is what deadlines and durations are measured on; `wall` is only ever written down.

export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Milliseconds since 1970. */
  wall(): number;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};
