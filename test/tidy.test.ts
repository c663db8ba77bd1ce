import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../scripts/setup/locations.mjs';
import {
  errorsInCode,
  errorsInDocs,
  metricsInCode,
  metricsInDocs,
  misnumbered,
  variablesInCode,
  variablesInDocs,
} from './tidy/documented.ts';
import { filesWithoutPurpose, forbiddenSyntax, importsWithoutEnding } from './tidy/language-rules.ts';
import { parseRepository, parseTexts, type Source } from './tidy/parse-sources.ts';
import { deadFiles, environmentReaders, impureCode, impureImports } from './tidy/seam-rules.ts';
import { longFiles, longFunctions, wideFunctions } from './tidy/size-rules.ts';
import { pathsOfOneMachine, textFiles, unfinishedWork } from './tidy/text-files.ts';

const sources = parseRepository(repositoryRoot);
const files = await textFiles(repositoryRoot);
const read = (name: string): Promise<string> => readFile(path.join(repositoryRoot, name), 'utf8');

interface Rule {
  readonly name: string;
  readonly check: (sources: readonly Source[]) => readonly string[];
  /** A source that breaks it, and what is said. */
  readonly broken: Readonly<Record<string, string>>;
  readonly said: RegExp;
}

const lines = (count: number): string => '\n'.repeat(count);

const rules: readonly Rule[] = [
  {
    name: 'files have at most 500 lines',
    check: longFiles,
    broken: { 'a.ts': `${lines(500)}x;` },
    said: /^a\.ts: 501 lines/,
  },
  {
    name: 'functions have at most 70 lines',
    check: longFunctions,
    broken: {
      'a.ts': `\n// About it.\nconst f = () => {${lines(70)}};`,
      'b.ts': `function holder() {${`const f = () => {${lines(38)}};\n`.repeat(4)}}`,
      'c.ts': `function holder() {${`const f = () => {${lines(38)}};\n`.repeat(2)}}`,
    },
    said: /^a\.ts:3: 71 lines, at most 70\nb\.ts:1: 157 lines with those it holds, at most 150$/,
  },
  {
    name: 'functions have at most 4 parameters',
    check: wideFunctions,
    broken: { 'a.ts': 'class A { m(a, b, c, d, e) {} }' },
    said: /^a\.ts:1: 5 parameters/,
  },
  {
    name: 'only what types can be stripped from, and named exports',
    check: forbiddenSyntax,
    broken: {
      'a.ts':
        'enum A {}\nnamespace B {}\nexport default 1;\nclass C { constructor(private x: 1) {} }\nexport default class {}',
    },
    said: /^a\.ts:1: an enum.*\na\.ts:2: a namespace.*\na\.ts:3: a default.*\na\.ts:4: a parameter property\na\.ts:5: a default/,
  },
  {
    name: 'imports end in .ts',
    check: importsWithoutEnding,
    broken: { 'a.ts': "import './b';\nexport * from '@thaw/common/c';\nimport 'node:fs';\nimport './d.ts';" },
    said: /^a\.ts:1: \.\/b has no ending\na\.ts:2: @thaw\/common\/c has no ending$/,
  },
  {
    name: 'files open with what they are for',
    check: filesWithoutPurpose,
    broken: { 'a.ts': 'x;', 'b.ts': '// For b.', 'c.test.ts': 'x;', 'd.ts': '//\nx;' },
    said: /^a\.ts: does not.*\nd\.ts: does not open with what it is for$/,
  },
  {
    name: 'cores import cores, common and types',
    check: impureImports,
    broken: {
      'services/x/core/a.ts':
        "import fs from 'node:fs';\nimport type { B } from '../b.ts';\nimport { c } from '../c.ts';",
      'services/x/core/d.ts': "import './a.ts';\nimport '@thaw/common/e.ts';",
    },
    said: /^services\/x\/core\/a\.ts:1: a core imports node:fs\nservices\/x\/core\/a\.ts:3: a core imports \.\.\/c\.ts$/,
  },
  {
    name: 'cores have no clock, chance, waiting, input or output',
    check: impureCode,
    broken: {
      'services/x/core/a.ts':
        'Date.now();\nMath.random();\nsetTimeout(f);\nprocess.exit();\nconsole.log();\nnew Date();\nasync () => {};',
      'services/x/core/b.ts': 'const x: Date = y; z.Date; ({ process: 1 }); new Date(at);',
      'services/x/runtime/c.ts': 'Date.now();',
    },
    said: /a\.ts:1: a core uses Date\n.*2: .*Math\.random\n.*3: .*setTimeout\n.*4: .*process\n.*5: .*console\n.*6: .*Date\n.*7: .*await$/,
  },
  {
    name: 'only main.ts reads the environment',
    check: environmentReaders,
    broken: {
      'services/x/a.ts': 'process.env.A;',
      'services/x/main.ts': 'process.env.A;',
      'services/x/a.test.ts': 'process.env;',
    },
    said: /^services\/x\/a\.ts:1: reads process\.env; only main\.ts does$/,
  },
  {
    name: 'something leads to every file',
    check: deadFiles,
    broken: {
      'services/x/main.ts': "import './a.ts'; start('./thread.ts');",
      'services/x/a.ts': "import '@thaw/common/b.ts';",
      'services/common/b.ts': 'export {};',
      'services/x/thread.ts': 'export {};',
      'services/x/dead.ts': "import './deader.ts';",
      'services/x/deader.ts': "import './dead.ts';",
      'services/x/tested.test.ts': "import './tested.ts'; import './testing/builders.ts';",
      'services/x/tested.ts': 'export {};',
      'services/x/testing/builders.ts': 'export {};',
    },
    said: /^services\/x\/dead\.ts: nothing.*\nservices\/x\/deader\.ts: nothing.*\nservices\/x\/tested\.ts: only tests lead to it$/,
  },
];

test('there are sources to check', () => {
  assert.ok(sources.length > 100 && files.length > sources.length, `${sources.length} sources, ${files.length} files`);
});

for (const { name, check, broken, said } of rules) {
  test(name, () => {
    assert.match([...check(parseTexts(broken))].sort().join('\n'), said, 'the rule finds what breaks it');
    assert.deepEqual(check(sources), []);
  });
}

test('nothing unfinished is left, and no path of one machine', () => {
  const text = [`// ${'TO'}DO: later`, `cd ${'/wo'}rk/main`, `see ${'sha'}red/notes`, 'a workroot/'].join('\n');
  const broken = [{ name: 'a.ts', text }];
  assert.equal(unfinishedWork(broken).length, 1);
  assert.equal(pathsOfOneMachine(broken).length, 2);
  assert.deepEqual(unfinishedWork(files), []);
  assert.deepEqual(pathsOfOneMachine(files), []);
});

test('docs/errors.md lists the catalogue, and nothing else', async () => {
  assert.deepEqual(errorsInDocs(await read('docs/errors.md')).sort(), errorsInCode().sort());
});

test('docs/metrics.md lists every metric with its type, labels and help, and nothing else', async () => {
  assert.deepEqual(metricsInDocs(await read('docs/metrics.md')).sort(), metricsInCode().sort());
});

test('docs/environment.md lists every variable, and nothing else', async () => {
  const inCode = variablesInCode(files).sort();
  assert.ok(inCode.includes('THAW_CACHE'));
  assert.deepEqual(variablesInDocs(await read('docs/environment.md')).sort(), inCode);
});

test('records of decisions have numbers of their own', () => {
  const broken = [
    { name: 'docs/adr/0001-a.md', text: '# 1. A' },
    { name: 'docs/adr/0001-b.md', text: '# 1. B' },
    { name: 'docs/adr/0002-c.md', text: '# C' },
  ];
  assert.match(misnumbered(broken).join('\n'), /^\S+b\.md: \S+a\.md has the same number\n\S+c\.md: its title/);
  const records = files.filter(({ name }) => name.startsWith('docs/adr/'));
  assert.ok(records.length > 10, `${records.length} records`);
  assert.deepEqual(misnumbered(records), []);
});

test('package-lock.json names no registry', async () => {
  const lock = await read('package-lock.json');
  assert.match(lock, /"lockfileVersion": 3/);
  assert.deepEqual(
    lock.split('\n').filter((line) => /"resolved": "\w+:/.test(line)),
    [],
    'npm writes none with omit-lockfile-registry-resolved=true in .npmrc',
  );
  assert.match(await read('.npmrc'), /^omit-lockfile-registry-resolved=true$/m);
});
