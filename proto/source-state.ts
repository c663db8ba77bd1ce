/** In a directive, where the digest of a state to restore stands: the source itself, as before any training. */
export const sourceState = 'source';
