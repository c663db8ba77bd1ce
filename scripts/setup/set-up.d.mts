// Types of set-up.mjs, for the TypeScript that imports it.

/** Whether node_modules holds what package-lock.json says, for this version of Node. */
export function packagesAreInstalled(): boolean;
