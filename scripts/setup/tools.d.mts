// Types of tools.mjs, for the TypeScript that imports it.

export interface SetUpTool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly purpose: string;
  readonly advice: string;
}

export const setUpTools: readonly SetUpTool[];
export function toolVersion(tool: Pick<SetUpTool, 'command' | 'args'>, env: NodeJS.ProcessEnv): Promise<string | null>;
