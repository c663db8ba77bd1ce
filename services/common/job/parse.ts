// Reads a job file: YAML to a checked JobFile. All problems are said at once, each with its line and column; nothing is
// guessed and nothing is ignored.

import { type Document, isMap, isNode, LineCounter, type Node, parseAllDocuments, visit, type YAMLMap } from 'yaml';
import { ThawError } from '../errors/thaw-error.ts';
import { crossProblems } from './cross-checks.ts';
import { notSupported } from './not-supported.ts';
import { type FieldPath, type Problem, problemsOf } from './problems.ts';
import { type JobFile, jobSchema } from './schema/job.ts';
import { yamlProblem } from './yaml-problem.ts';

export interface ParsedJob {
  readonly job: JobFile;
  readonly fileName: string;
  /** `file:line:column: path` of a field, for problems that are found later, with the model and the data at hand. */
  where(path: FieldPath): string;
}

const problemsShownMax = 20;
const fileCharactersMax = 1024 * 1024;
/** Nodes that aliases may stand for, so that a small file cannot become a huge one. */
const aliasedNodesMax = 100;

/** Throws JobInvalid with every problem, or NotSupported naming what is not built yet. */
export function parseJobFile(text: string, fileName: string): ParsedJob {
  const lines = new LineCounter();
  const [document, ...others] = documentsOf(text, lines, fileName);
  if (!document || document.contents === null)
    throw invalid(`${fileName}:1:1: found an empty file; expected a FineTuneJob`);
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${line}:${col}`;
  };
  const wrong = yamlProblem(document);
  if (wrong) throw invalid(`${place(wrong.offset)}: ${wrong.message}`);
  const [second] = others;
  if (second) throw invalid(`${place(second.range[0])}: found a second document; expected one job a file`);
  requireKnownAliases(document, place);
  const root = document.contents;
  const where = (path: FieldPath, atKey = false): string =>
    `${place(offsetOf(root, path, atKey))}: ${printPath(path) || 'the file'}`;
  const job = checked(
    plainValue(document, fileName),
    ({ path, message, atKey }) => `${where(path, atKey)}: ${message}`,
  );
  return { job, fileName, where };
}

function documentsOf(text: string, lineCounter: LineCounter, fileName: string): readonly Document.Parsed[] {
  if (text.length > fileCharactersMax) {
    throw invalid(`${fileName}: found ${text.length} characters; expected a job file of at most ${fileCharactersMax}`);
  }
  try {
    const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
    return Array.isArray(documents) ? documents : [];
  } catch (cause) {
    throw unreadable(cause, fileName);
  }
}

function requireKnownAliases(document: Document.Parsed, place: (offset: number) => string): void {
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document)) return;
      throw invalid(
        `${place(alias.range?.[0] ?? 0)}: found *${alias.source}; expected an anchor &${alias.source} before it`,
      );
    },
  });
}

function plainValue(document: Document.Parsed, fileName: string): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasedNodesMax }) as unknown;
  } catch (cause) {
    throw unreadable(cause, fileName);
  }
}

/** What the YAML library throws instead of listing: nesting without end, aliases that multiply. */
function unreadable(cause: unknown, fileName: string): ThawError {
  const reason = cause instanceof RangeError ? 'nested too deeply' : String((cause as Error).message);
  return new ThawError(
    'JobInvalid',
    `${fileName}:1:1: found YAML that cannot be read: ${reason}; expected a FineTuneJob`,
    {
      cause,
    },
  );
}

function checked(value: unknown, say: (problem: Problem) => string): JobFile {
  const result = jobSchema.safeParse(value);
  const problems = result.success ? crossProblems(result.data) : problemsOf(result.error.issues, value);
  if (problems.length > 0) {
    throw invalid(listed(problems, say), problems);
  }
  const job = result.data as JobFile;
  const [missing, ...others] = notSupported(job);
  if (missing) throw new ThawError('NotSupported', [missing, ...others].map(say).join('\n'));
  return job;
}

function listed<T>(problems: readonly T[], say: (problem: T) => string): string {
  const shown = problems.slice(0, problemsShownMax).map(say);
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
  return [...shown, ...more].join('\n');
}

function invalid(message: string, problems: readonly Problem[] = []): ThawError {
  return new ThawError('JobInvalid', message, { data: { fields: problems.map(({ path }) => printPath(path)) } });
}

export function printPath(path: FieldPath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** Offset of the deepest node on the path that exists; of its key when that is what is wrong. */
function offsetOf(root: Node, path: FieldPath, atKey: boolean): number {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    const isLast = index === path.length - 1;
    if (isMap(node)) {
      const pair = pairOf(node, String(part));
      if (!pair) break;
      const target = isLast && atKey ? pair.key : (pair.value ?? pair.key);
      offset = startOf(target) ?? startOf(pair.key) ?? offset;
      node = pair.value;
    } else {
      const items = (node as { items?: unknown[] } | null)?.items;
      node = items?.[Number(part)];
      offset = startOf(node) ?? offset;
    }
  }
  return offset;
}

function pairOf(map: YAMLMap, key: string): { key: unknown; value: unknown } | undefined {
  return map.items.find((pair) => String((pair.key as { value?: unknown } | null)?.value ?? pair.key) === key);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
