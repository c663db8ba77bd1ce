// The version of the session protocol, for both ends and for the pure core that compares them.

/** A peer that speaks another is refused by name. */
export const protocolVersion = 1;
