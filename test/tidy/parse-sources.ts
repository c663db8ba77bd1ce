// Reads the TypeScript of the repository as syntax trees, with TypeScript's own parser (its 7.0 API, still called
// unstable: the version is pinned). Rules read these and never the disk.

import path from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

export interface Source {
  /** From the root of the repository, with forward slashes. */
  readonly name: string;
  readonly text: string;
  readonly tree: SourceFile;
}

/** Every file of tsconfig.json, generated ones left out. */
export function parseRepository(root: string): Source[] {
  return parse(new API({ cwd: root }), root);
}

/** Sources that exist only in a test, by name. */
export function parseTexts(texts: Readonly<Record<string, string>>): Source[] {
  const config = JSON.stringify({ compilerOptions: { noLib: true, types: [] }, include: ['**/*.ts'] });
  const files = Object.entries(texts).map(([name, text]) => [`/${name}`, text] as const);
  const fs = createVirtualFileSystem({ '/tsconfig.json': config, ...Object.fromEntries(files) });
  return parse(new API({ cwd: '/', fs }), '/');
}

function parse(api: API, root: string): Source[] {
  try {
    const project = api.updateSnapshot({ openProjects: [path.join(root, 'tsconfig.json')] }).getProjects()[0];
    if (!project) throw new Error(`found no project in ${root}`);
    return project.rootFiles
      .map((file) => ({ file, name: path.relative(root, file).replaceAll(path.sep, '/') }))
      .filter(({ name }) => !name.startsWith('proto/gen/'))
      .flatMap(({ file, name }) => {
        const tree = project.program.getSourceFile(file);
        return tree ? [{ name, text: tree.text, tree }] : [];
      });
  } finally {
    api.close();
  }
}

/** Visits every node below one, with its parent. */
export function visit(node: Node, visitor: (node: Node, parent: Node) => void): void {
  node.forEachChild((child) => {
    visitor(child, node);
    visit(child, visitor);
  });
}

/** `services/x.ts:12`. */
export function placeOf({ name, tree }: Source, node: Node): string {
  return `${name}:${tree.getLineAndCharacterOfPosition(startOf(tree.text, node)).line + 1}`;
}

/** Where a node's own text starts, behind blanks and comments. */
function startOf(text: string, node: Node): number {
  const leading = /^(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*/.exec(text.slice(node.pos, node.end));
  return node.pos + (leading?.[0].length ?? 0);
}

export function linesOf(source: Source, node: Node): number {
  const line = (position: number): number => source.tree.getLineAndCharacterOfPosition(position).line;
  return line(node.end) - line(startOf(source.text, node)) + 1;
}
