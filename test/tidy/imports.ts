// What a source refers to: imports, exports from elsewhere, and string literals that name a file beside it (threads and
// child processes are started by such a name).

import path from 'node:path';
import {
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isStringLiteral,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { type Source, visit } from './parse-sources.ts';

export interface Reference {
  readonly specifier: string;
  readonly node: Node;
  /** Vanishes when the types are stripped. */
  readonly isType: boolean;
}

export function importsOf({ tree }: Source): Reference[] {
  const found: Reference[] = [];
  visit(tree, (node) => {
    if (isImportDeclaration(node) && isStringLiteral(node.moduleSpecifier)) {
      const isType = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
      found.push({ specifier: node.moduleSpecifier.text, node, isType });
    } else if (isExportDeclaration(node) && node.moduleSpecifier && isStringLiteral(node.moduleSpecifier)) {
      found.push({ specifier: node.moduleSpecifier.text, node, isType: node.isTypeOnly });
    } else if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier && isStringLiteral(specifier)) found.push({ specifier: specifier.text, node, isType: false });
    }
  });
  return found;
}

/** Names of the repository's files that a source refers to, types included. */
export function referencedFiles(source: Source): string[] {
  const names = importsOf(source).map(({ specifier }) => specifier);
  visit(source.tree, (node) => {
    if (isStringLiteral(node) && node.text.endsWith('.ts')) names.push(node.text);
  });
  return names.flatMap((specifier) => resolved(source.name, specifier) ?? []);
}

const packageFolders: Readonly<Record<string, string>> = {
  '@thaw/proto': 'proto',
  '@thaw/common': 'services/common',
  '@thaw/coordinator': 'services/coordinator',
  '@thaw/trainer': 'services/trainer',
  thaw: 'services/cli',
};

/** Null for packages from npm and for Node's own modules. */
export function resolved(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(from), specifier);
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(specifier) ?? [];
  const folder = packageFolders[name];
  return folder === undefined ? null : `${folder}/${rest}`;
}
