import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aTinyJob, type Fields } from '../../../test/support/fixtures/tiny-job.ts';
import { ThawError } from '../errors/thaw-error.ts';
import { parseJobFile } from './parse.ts';

const spec = (changes: Fields): Fields => ({ spec: changes });
const noFractions = { train: undefined, validation: undefined, test: undefined };

const cases: readonly (readonly [changes: Fields, message: string])[] = [
  [spec({ task: 'regression' }), 'spec.task: task regression is not supported yet'],
  [spec({ data: { source: 's3://bucket' } }), 'spec.data.source: source s3://bucket is not supported yet'],
  [
    spec({
      data: { split: { ...noFractions, folders: { train: 'file:a', validation: 'file:b', test: 'https://host/c' } } },
    }),
    'spec.data.split.folders.test: source https://host/c is not supported yet',
  ],
  ...['jsonl', 'kinetics', 'webdataset'].map(
    (format) => [spec({ data: { format } }), `spec.data.format: format ${format} is not supported yet`] as const,
  ),
  [spec({ output: { uri: 's3://bucket' } }), 'spec.output.uri: output s3://bucket is not supported yet'],
  [spec({ retention: { source: 's3://old' } }), 'spec.retention.source: source s3://old is not supported yet'],
];

for (const [changes, message] of cases) {
  test(`refused by name: ${message}`, () => {
    assert.throws(
      () => parseJobFile(aTinyJob(changes), 'job.yaml'),
      (thrown) => {
        assert.ok(thrown instanceof ThawError && thrown.code === 'NotSupported');
        assert.match(thrown.message, /^job\.yaml:\d+:\d+: /);
        assert.equal(thrown.message.replace(/^job\.yaml:\d+:\d+: /, ''), message);
        return true;
      },
    );
  });
}

test('everything that is not supported is said at once', () => {
  const text = aTinyJob(spec({ task: 'regression', retention: { source: 's3://old' } }));
  assert.throws(() => parseJobFile(text, 'job.yaml'), /task regression[^\n]*\n.*source s3:\/\/old is not supported/);
});
