// Seams: what pure cores may not touch, who reads the environment, and files that nothing leads to.

import {
  isIdentifier,
  isNewExpression,
  isPropertyAccessExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { importsOf, referencedFiles, resolved } from './imports.ts';
import { placeOf, type Source, visit } from './parse-sources.ts';

const isCore = ({ name }: Source): boolean => /^services\/.*\/core\//.test(name) && !isTest(name);
const isTest = (name: string): boolean => name.endsWith('.test.ts');

/** A core imports cores, common, and types of anything. */
export function impureImports(sources: readonly Source[]): string[] {
  return sources.filter(isCore).flatMap((source) =>
    importsOf(source).flatMap(({ specifier, node, isType }) => {
      const file = resolved(source.name, specifier) ?? specifier;
      const isPure = isType || file.includes('/core/') || file.startsWith('services/common/') || pureFrames.has(file);
      return isPure ? [] : [`${placeOf(source, node)}: a core imports ${specifier}`];
    }),
  );
}

/** Pure layouts of bytes, and words of the wire: what a core announces and asks for is said in them. */
const pureFrames = new Set([
  'proto/frames/frame.ts',
  'proto/frames/announcement.ts',
  'proto/frames/nack.ts',
  'proto/protocol-version.ts',
  'proto/source-state.ts',
]);

const outside = new Set(['Date', 'process', 'console', 'performance', 'setTimeout', 'setInterval', 'setImmediate']);
const outsideToo = new Set(['queueMicrotask', 'fetch', 'structuredClone', 'Atomics']);

/** No clock, no chance, no input or output, no waiting. */
export function impureCode(sources: readonly Source[]): string[] {
  return sources.filter(isCore).flatMap((source) => {
    const problems: string[] = [];
    visit(source.tree, (node, parent) => {
      const what = impure(node, parent);
      if (what) problems.push(`${placeOf(source, node)}: a core uses ${what}`);
    });
    return problems;
  });
}

function impure(node: Node, parent: Node): string | null {
  if (node.kind === SyntaxKind.AwaitExpression || node.kind === SyntaxKind.AsyncKeyword) return 'await';
  if (isPropertyAccessExpression(node) && isIdentifier(node.expression)) {
    if (node.expression.text === 'Math' && node.name.text === 'random') return 'Math.random';
  }
  if (!isIdentifier(node) || !(outside.has(node.text) || outsideToo.has(node.text))) return null;
  const isUsed =
    ('expression' in parent && parent.expression === node) ||
    ('arguments' in parent && Array.isArray(parent.arguments) && parent.arguments.includes(node));
  return isUsed && !printsInstant(parent) ? node.text : null;
}

/** `new Date(at)` reads no clock. */
function printsInstant(node: Node): boolean {
  return isNewExpression(node) && node.arguments !== undefined && node.arguments.length > 0;
}

/** Sets what the library reads while it loads, on the process that it is loaded into. */
const mayUseEnvironment = new Set(['services/trainer/engine/load-tensorflow.ts']);

export function environmentReaders(sources: readonly Source[]): string[] {
  const bound = sources.filter(({ name }) => /^(services|proto)\//.test(name) && !/\/testing\/|\/main\.ts$/.test(name));
  return bound
    .filter(({ name }) => !isTest(name) && !mayUseEnvironment.has(name))
    .flatMap((source) => {
      const problems: string[] = [];
      visit(source.tree, (node) => {
        if (!isPropertyAccessExpression(node) || !isIdentifier(node.expression)) return;
        if (node.expression.text !== 'process' || node.name.text !== 'env') return;
        problems.push(`${placeOf(source, node)}: reads process.env; only main.ts does`);
      });
      return problems;
    });
}

/** What npm scripts, launchers and users start. */
const program = /^(services\/[^/]+\/main|test\/(bench|sim)\/main|test\/parity\/.+\.parity|scripts\/[^/]+)\.ts$/;

/** Files that nothing leads to, and code of Thaw that only its tests lead to. */
export function deadFiles(sources: readonly Source[]): string[] {
  const names = sources.map(({ name }) => name);
  const running = reached(
    sources,
    names.filter((name) => program.test(name) && !isTest(name)),
  );
  const all = reached(
    sources,
    names.filter((name) => program.test(name) || isTest(name)),
  );
  const mustRun = (name: string): boolean => /^(services|proto)\//.test(name) && !name.includes('/testing/');
  return names.flatMap((name) => {
    if (!all.has(name)) return [`${name}: nothing leads to it`];
    return mustRun(name) && !isTest(name) && !running.has(name) ? [`${name}: only tests lead to it`] : [];
  });
}

function reached(sources: readonly Source[], from: readonly string[]): Set<string> {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const waiting = [...from];
  const found = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const source = byName.get(name);
    if (!source || found.has(name)) continue;
    found.add(name);
    waiting.push(...referencedFiles(source));
  }
  return found;
}
