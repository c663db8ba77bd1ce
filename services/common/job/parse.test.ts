import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aTinyJob } from '../../../test/support/fixtures/tiny-job.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { parseJobFile } from './parse.ts';

const job = `apiVersion: thaw.dev/v1alpha1
kind: FineTuneJob
metadata: {name: digits}
spec:
  task: imageClassification
  model:
    source: file:model
    head:
      - globalAveragePooling: {}
      - dense: {units: 8}
  data:
    source: file:images
  train:
    optimizer: {adam: {learningRate: 1e-3}}
    schedule:
      stages:
        - name: head
          trainable: [head/**]
          epochs: 2
`;

function refusal(text: string): ThawError {
  try {
    parseJobFile(text, 'job.yaml');
  } catch (thrown) {
    if (thrown instanceof ThawError) return thrown;
    throw thrown;
  }
  throw new Error('the file was accepted');
}

test('the job that the cases below break is whole', () => {
  assert.equal(parseJobFile(job, 'job.yaml').job.metadata.name, 'digits');
  assert.equal(parseJobFile(aTinyJob(), 'job.yaml').job.spec.data.shards, 8);
});

const cases: readonly (readonly [what: string, from: string, to: string, message: string])[] = [
  [
    'a misspelt key at the top',
    'kind:',
    'knid: x\nkind:',
    'job.yaml:2:1: knid: found the unknown key "knid"; did you mean "kind"?',
  ],
  [
    'a misspelt key inside an object',
    '  data:\n',
    '  data:\n    shrads: 4\n',
    'job.yaml:12:5: spec.data.shrads: found the unknown key "shrads"; did you mean "shards"?',
  ],
  [
    'a misspelt key inside a list item',
    'epochs: 2',
    'epochs: 2\n          curv: linear',
    'job.yaml:20:11: spec.train.schedule.stages[0].curv: found the unknown key "curv"; did you mean "curve"?',
  ],
  [
    'a misspelt choice',
    'adam:',
    'adma:',
    'job.yaml:14:17: spec.train.optimizer.adma: found the unknown key "adma"; did you mean "adam"?',
  ],
  [
    'a misspelt choice in a list item',
    '- dense:',
    '- dence:',
    'job.yaml:10:9: spec.model.head[1].dence: found the unknown key "dence"; did you mean "dense"?',
  ],
  [
    'a misspelt key inside a choice',
    'units: 8',
    'units: 8, actvation: relu',
    'job.yaml:10:27: spec.model.head[1].dense.actvation: found the unknown key "actvation"; did you mean "activation"?',
  ],
  [
    'a key that is near nothing',
    'kind:',
    'zzzzzz: 1\nkind:',
    'job.yaml:2:1: zzzzzz: found the unknown key "zzzzzz"; expected apiVersion, kind, metadata, spec',
  ],
  [
    'no choice',
    '{adam: {learningRate: 1e-3}}',
    '{}',
    'job.yaml:14:16: spec.train.optimizer: found no key; expected exactly one of sgd, momentum, adam, adamw, rmsprop',
  ],
  [
    'two choices',
    '{adam: {',
    '{sgd: {learningRate: 1}, adam: {',
    'job.yaml:14:16: spec.train.optimizer: found sgd and adam; expected exactly one of sgd, momentum, adam, adamw, rmsprop',
  ],
  [
    'a choice without a value',
    'globalAveragePooling: {}',
    'globalAveragePooling:',
    'job.yaml:9:30: spec.model.head[0].globalAveragePooling: found no value; expected an object (key: value lines, or {} for none)',
  ],
  [
    'a text for a number',
    'units: 8',
    'units: "8"',
    'job.yaml:10:24: spec.model.head[1].dense.units: found "8"; expected a number',
  ],
  [
    'a fraction for a whole number',
    'units: 8',
    'units: 8.5',
    'job.yaml:10:24: spec.model.head[1].dense.units: found 8.5; expected a whole number',
  ],
  [
    'NaN',
    'learningRate: 1e-3',
    'learningRate: .nan',
    'job.yaml:14:38: spec.train.optimizer.adam.learningRate: found NaN; expected a number',
  ],
  [
    'infinity',
    'learningRate: 1e-3',
    'learningRate: .inf',
    'job.yaml:14:38: spec.train.optimizer.adam.learningRate: found Infinity; expected a number',
  ],
  [
    'a number out of bounds',
    'learningRate: 1e-3',
    'learningRate: 0',
    'job.yaml:14:38: spec.train.optimizer.adam.learningRate: found 0; expected more than 0',
  ],
  [
    'a list that is too short',
    '[head/**]',
    '[]',
    'job.yaml:18:22: spec.train.schedule.stages[0].trainable: found 0; expected at least 1 entries',
  ],
  [
    'an object for a list',
    '[head/**]',
    '{a: 1}',
    'job.yaml:18:22: spec.train.schedule.stages[0].trainable: found an object; expected a list',
  ],
  [
    'a missing field',
    '        - name: head\n          trainable',
    '        - trainable',
    'job.yaml:17:11: spec.train.schedule.stages[0].name: found nothing; expected a text',
  ],
  [
    'an unknown version',
    'v1alpha1',
    'v1',
    'job.yaml:1:13: apiVersion: found "thaw.dev/v1"; expected thaw.dev/v1alpha1',
  ],
  [
    'a value that is near a known one',
    'task: imageClassification',
    'task: imageClasification',
    'job.yaml:5:9: spec.task: found "imageClasification"; expected imageClassification, videoClassification, languageModeling, textClassification, semanticSegmentation, objectDetection, regression (did you mean "imageClassification"?)',
  ],
  [
    'a name that Kubernetes refuses',
    '{name: digits}',
    '{name: My_Digits}',
    'job.yaml:3:18: metadata.name: found "My_Digits"; expected lower-case letters, digits, dashes and dots',
  ],
  [
    "a stage's name with a dot",
    'name: head',
    'name: head.1',
    'job.yaml:17:17: spec.train.schedule.stages[0].name: found "head.1"; expected lower-case letters, digits and dashes, at most 63',
  ],
  [
    'a source without a scheme',
    'file:images',
    './images',
    'job.yaml:12:13: spec.data.source: found "./images"; expected file:PATH, example:NAME, builtin:NAME, s3:, http: or https:',
  ],
  [
    'an old task without a scheme',
    '  task:',
    '  retention: {source: old}\n  task:',
    'job.yaml:5:23: spec.retention.source: found "old"; expected file:PATH, example:NAME, builtin:NAME, s3:, http: or https:',
  ],
  [
    'a key twice',
    '  task:',
    '  task: regression\n  task:',
    'job.yaml:6:3: found a key a second time; expected every key once',
  ],
  [
    'a line further in',
    '  task:',
    '   task:',
    'job.yaml:6:1: found another indentation than the lines above have; expected the keys of one object in one column',
  ],
  [
    'a line under a value',
    '  task: imageClassification',
    '  task: imageClassification\n    more: 1',
    'job.yaml:5:9: found a "key:" inside of a value; expected one "key: value" a line, with the indentation of its neighbours, and quotes around a text with a colon',
  ],
  ['a colon left out', '  task:', '  task', 'job.yaml:5:3: found no ":" with a space after it; expected "key: value"'],
  ['a tab', '  task:', '\ttask:', 'job.yaml:5:1: found a tab; expected spaces as indentation'],
  [
    'a list without its end',
    '[head/**]',
    '[head/**',
    'job.yaml:19:11: found no closing "]"; expected it before this line',
  ],
  [
    'a text that starts as YAML does',
    'task: imageClassification',
    'task: @imageClassification',
    'job.yaml:5:9: found a text that starts with "@"; expected quotes around it',
  ],
  ['a tag', 'units: 8', 'units: !big 8', 'job.yaml:10:24: Unresolved tag: !big'],
  [
    'a merge key',
    '{units: 8}',
    '{units: 8, <<: {useBias: false}}',
    'job.yaml:10:27: spec.model.head[1].dense.<<: found the unknown key "<<"; expected units, activation, useBias',
  ],
  [
    'an alias without an anchor',
    'file:images',
    '*images',
    'job.yaml:12:13: found *images; expected an anchor &images before it',
  ],
];

for (const [what, from, to, message] of cases) {
  test(`refused with its place: ${what}`, () => {
    assert.ok(job.includes(from), 'the case changes the job');
    const { code, message: said } = refusal(job.replace(from, to));
    assert.equal(said, message);
    assert.equal(code, 'JobInvalid');
  });
}

test('an anchor and its alias are what they stand for', () => {
  const text = job.replace('file:model', '&place file:model').replace('file:images', '*place');
  assert.equal(parseJobFile(text, 'job.yaml').job.spec.data.source, 'file:model');
});

test('what is no job file at all is refused at its first line', () => {
  for (const [text, message] of [
    ['', 'job.yaml:1:1: found an empty file; expected a FineTuneJob'],
    ['# nothing\n', 'job.yaml:1:1: found an empty file; expected a FineTuneJob'],
    ['[1, 2]', 'job.yaml:1:1: the file: found a list of 2; expected an object (key: value lines, or {} for none)'],
    [`${job}---\n${job}`, 'job.yaml:20:1: found a second document; expected one job a file'],
  ] as const) {
    assert.equal(refusal(text).message, message);
  }
});

test('aliases that multiply are refused before they take memory', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`);
  const before = process.memoryUsage().rss;
  const { message } = refusal(`a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n`);
  assert.match(message, /^job\.yaml:1:1: found YAML that cannot be read: Excessive alias count/);
  assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
});

test('nesting without end, and a file without end, are refused', () => {
  assert.equal(refusal('['.repeat(100_000)).code, 'JobInvalid');
  assert.match(refusal(`# ${'x'.repeat(2 ** 20)}`).message, /found 1048578 characters; expected .* at most 1048576/);
});

test('all problems are said at once, the first twenty in full', () => {
  const extra = (count: number): string => Array.from({ length: count }, (_, i) => `extra${i}: 1\n`).join('');
  assert.equal(refusal(job + extra(3)).message.split('\n').length, 3);
  const many = refusal(job + extra(23)).message.split('\n');
  assert.equal(many.length, 21);
  assert.equal(many.at(-1), 'and 3 more');
  assert.deepEqual(refusal(job + extra(2)).data.fields, ['extra0', 'extra1']);
});
