// The version of the session protocol, for both ends and for the pure core that compares them.

/**
 * A peer that speaks another is refused by name. 2: evaluations count only what occurs, and have score histograms.
 * 3: snapshots, and epochs that begin in their middle.
 */
export const protocolVersion = 3;
