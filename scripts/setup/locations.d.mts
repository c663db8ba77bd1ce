// Types of locations.mjs, for the TypeScript that imports it.

export const repositoryRoot: string;
export function cacheDirectory(env: NodeJS.ProcessEnv): string;
export function platformName(): string;
export function engineDirectory(env: NodeJS.ProcessEnv): string;
export function cachedNatsServer(env: NodeJS.ProcessEnv): string;
export function natsServerPath(env: NodeJS.ProcessEnv): string | null;
export function natsServerVersion(file: string): string | null;
