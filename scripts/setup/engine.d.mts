// Types of engine.mjs, for the TypeScript that imports it.

/** Why this machine goes without the TensorFlow engine; null where it is to be there. */
export function withoutEngine(env: NodeJS.ProcessEnv): string | null;
export function engineIsBuilt(env: NodeJS.ProcessEnv): boolean;
export function engineIsLinked(env?: NodeJS.ProcessEnv): boolean;
