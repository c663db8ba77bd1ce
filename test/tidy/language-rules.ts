// Which parts of TypeScript are written here: what types can be stripped from, named exports, imports with endings.

import {
  isExportAssignment,
  isModuleDeclaration,
  isParameterDeclaration,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { importsOf, resolved } from './imports.ts';
import { placeOf, type Source, visit } from './parse-sources.ts';

export function forbiddenSyntax(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const problems: string[] = [];
    visit(source.tree, (node) => {
      const what = forbidden(node);
      if (what) problems.push(`${placeOf(source, node)}: ${what}`);
    });
    return problems;
  });
}

function forbidden(node: Node): string | null {
  if (node.kind === SyntaxKind.EnumDeclaration) return 'an enum; use `as const` and a union';
  if (isModuleDeclaration(node)) return 'a namespace; use a module';
  if (isExportAssignment(node) || node.kind === SyntaxKind.DefaultKeyword) {
    return node.kind === SyntaxKind.DefaultKeyword && node.parent?.kind === SyntaxKind.DefaultClause
      ? null
      : 'a default export; export by name';
  }
  if (isParameterDeclaration(node) && node.modifiers && node.modifiers.length > 0) return 'a parameter property';
  return null;
}

const endings = /\.(ts|mjs|json)$/;

export function importsWithoutEnding(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(({ specifier }) => resolved(source.name, specifier) !== null && !endings.test(specifier))
      .map(({ specifier, node }) => `${placeOf(source, node)}: ${specifier} has no ending`),
  );
}

/** Everything but tests and generated files says first what it is for. */
export function filesWithoutPurpose(sources: readonly Source[]): string[] {
  return sources
    .filter(({ name, text }) => !name.endsWith('.test.ts') && !/^(#!.*\n)?\/[/*] ?\S/.test(text))
    .map(({ name }) => `${name}: does not open with what it is for`);
}
