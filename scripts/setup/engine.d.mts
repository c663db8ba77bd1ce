// Types of engine.mjs, for the TypeScript that imports it.

export function engineIsBuilt(env: NodeJS.ProcessEnv): boolean;
export function engineIsLinked(env?: NodeJS.ProcessEnv): boolean;
