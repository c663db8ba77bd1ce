// Sizes: a file, a function, its parameters.

import type { Node, NodeArray } from 'typescript/unstable/ast';
import { linesOf, placeOf, type Source, visit } from './parse-sources.ts';

const fileLinesMax = 500;
const functionLinesMax = 70;
/** A function that holds others, as a class holds methods, counts without them; but it is no place for everything. */
const holderLinesMax = 150;
const parametersMax = 4;

export function longFiles(sources: readonly Source[]): string[] {
  return sources.flatMap(({ name, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > fileLinesMax ? [`${name}: ${lines} lines, at most ${fileLinesMax}`] : [];
  });
}

export function longFunctions(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    functionsOf(source).flatMap((node) => {
      const all = linesOf(source, node);
      const own = all - heldLines(source, node);
      const place = placeOf(source, node);
      if (own > functionLinesMax) return [`${place}: ${own} lines, at most ${functionLinesMax}`];
      return all > holderLinesMax ? [`${place}: ${all} lines with those it holds, at most ${holderLinesMax}`] : [];
    }),
  );
}

export function wideFunctions(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    functionsOf(source).flatMap((node) => {
      const count = node.parameters.length;
      return count > parametersMax ? [`${placeOf(source, node)}: ${count} parameters, at most ${parametersMax}`] : [];
    }),
  );
}

/** Lines of the functions inside, but for the ones they begin on. */
function heldLines(source: Source, node: Node): number {
  let lines = 0;
  node.forEachChild((child) => {
    lines += isFunction(child) ? linesOf(source, child) - 1 : heldLines(source, child);
  });
  return lines;
}

type FunctionNode = Node & { readonly parameters: NodeArray<Node>; readonly body: Node };

/** Everything with parameters and a body. */
function functionsOf({ tree }: Source): FunctionNode[] {
  const found: FunctionNode[] = [];
  visit(tree, (node) => {
    if (isFunction(node)) found.push(node);
  });
  return found;
}

function isFunction(node: Node): node is FunctionNode {
  return 'parameters' in node && node.parameters !== undefined && 'body' in node && node.body !== undefined;
}
