// Types of node-version.mjs, for the TypeScript that imports it.

/** Throws an Error that says what was found and what is needed. */
export function checkNode(version: string): void;
