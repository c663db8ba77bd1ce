import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { plainCrossEntropy } from '@thaw/common/job/loss.ts';
import type { Loss } from '@thaw/common/job/resolved-job.ts';
import { type LevelChoice, noFeatureGain } from '../../core/feature-gain.ts';
import { calibrationFigures } from '../../core/test-figures.ts';
import { heatClass } from './chart/heat-table.ts';
import type { PageData } from './page-data.ts';
import { reportPage } from './report-page.ts';
import { wilsonInterval } from './section/summary.ts';
import { someData, someTest } from './testing/some-page-data.ts';

/** Of line charts, in pixels. */
const plotLeft = 50;

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style></title><svg/onload=alert(1)>',
  '&lt;b&gt;',
  '\u202egnp.exe',
];

const aChoice = (level: string): LevelChoice => ({
  level,
  chosen: 'read',
  otherBits: false,
  times: 2,
  readSeconds: 0.001,
  computeSeconds: 0.04,
});

/** Every text that comes from a job, a file or a machine is hostile. */
function hostileData(): PageData {
  const all = hostile.join(' ');
  const { report, job, ...data } = someData({ test: someTest(hostile) });
  const engineClass = { ...report.engineClass, engine: all, version: all, device: all, cpuFeatures: all };
  const mistake = (id: string) => ({ id, truth: all, prediction: all, probability: 0.9 });
  const listed = hostile.map((id) => ({ split: 'train' as const, id, reason: all }));
  return {
    ...data,
    origin: all,
    job: {
      ...job,
      name: all,
      stages: job.stages.map((stage) => ({ ...stage, select: hostile })),
      data: { ...job.data, source: all },
    },
    report: {
      ...report,
      name: all,
      uid: all,
      engineClass,
      probeDigest: all,
      warnings: hostile,
      trainers: hostile,
      stages: report.stages.map((stage) => ({ ...stage, name: all, ended: all })),
      test: { ...report.test, worstMistakes: hostile.map(mistake) },
      featureCache: { ...noFeatureGain, computed: 1, choices: hostile.map(aChoice) },
      badSamples: { counts: { train: listed.length, validation: 0, test: 0 }, listed },
    },
    thumbnails: hostile.map((reason) => ({ kind: 'none', reason })),
  };
}

describe('names that try to be HTML', () => {
  const page = reportPage(hostileData());

  it('are shown as they are written, and nothing of them is a tag or an attribute', () => {
    for (const name of hostile.slice(0, 4)) assert.ok(!page.includes(name), name);
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
    assert.ok(page.includes('&amp;lt;b&amp;gt;'));
    assert.ok(!page.includes('\u202e'));
    const withoutTexts = page.replace(/>[^<]*/g, '>').replace(/"[^"]*"/g, '""');
    assert.equal(/\bon\w+=|alert/.exec(withoutTexts), null);
  });

  it('leave the page with its own script and style only', () => {
    for (const tag of ['script', 'style']) assert.equal(page.match(new RegExp(`<${tag}\\b`, 'g'))?.length, 1, tag);
    assert.equal(page.slice(0, page.indexOf('<body>')).match(/<title/g)?.length, 1);
    assert.equal(/<(img|iframe|object|embed|link(?! rel="icon" href="data:,"))\b/.exec(page), null);
  });
});

describe('the page', () => {
  it('names the digests of its script and its style, and forbids everything else', () => {
    const page = reportPage(someData());
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    for (const tag of ['script', 'style']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
      const digest = createHash('sha256').update(text).digest('base64');
      assert.ok(policy.includes(`${tag}-src &#39;sha256-${digest}&#39;`), tag);
    }
    assert.ok(policy.startsWith('default-src &#39;none&#39;; img-src data:;'));
    assert.equal(/https?:\/\/| style="/.exec(page), null);
  });

  it('has every section, and a title and a description in every chart', () => {
    const page = reportPage(someData());
    for (const id of [
      'curves',
      'stages',
      'feature-cache',
      'test',
      'mistakes',
      'calibration',
      'near-duplicates',
      'bad-samples',
      'reproduce',
    ]) {
      assert.ok(page.includes(`href="#${id}"`) && page.includes(`<section id="${id}"`), id);
    }
    for (const [chart, title, about] of page.matchAll(/<svg class="chart"[^>]*aria-labelledby="(\S+) (\S+)"/g)) {
      assert.ok(page.includes(`<title id="${title}">`) && page.includes(`<desc id="${about}">`), chart);
    }
    const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(ids.length, new Set(ids).size, 'no id twice');
  });

  it('shows what is left of the old task, in jobs that ask for it', () => {
    const plain = someData();
    assert.ok(!reportPage(plain).includes('id="forgetting"'));
    const drops = [0, 0.05, 0.3, 0.1];
    const epochs = plain.history.epochs.map((one, i) => {
      const drop = drops[i] ?? 0;
      return { ...one, retention: { accuracy: 0.9 - drop, loss: 1, drop } };
    });
    const before = { loss: 0.2, accuracy: 0.9, macroF1: 0.9, auc: 0.9, count: 500 };
    const oldTask = { before, after: epochs[3]?.retention ?? null, maxDrop: 0.2, onExceed: 'stop' as const };
    const page = reportPage({ ...plain, report: { ...plain.report, oldTask }, history: { ...plain.history, epochs } });
    const section = /<section id="forgetting"[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';
    assert.match(section, /right about 90\.0 % of 500 samples of the old task, and 80\.0 % of them with the exported/);
    assert.match(section, /ends when it has fallen by more than 20\.0 points/);
    const places = [...section.matchAll(/<circle [^>]*cx="([\d.]+)"/g)].map(([, x]) => Number(x));
    assert.ok(places.length === 5 && places.every((x) => x > plotLeft), `${places}: beside the axis' numbers`);
    assert.match(section, /text-anchor="middle">0<\/text>/);
    assert.match(section, /old task: from 90 % in epoch 0 to 80 % in epoch 4/);
    assert.match(section, /<td class="number">60\.0 %<\/td><td class="number">30\.0<\/td>/);
  });

  it('shows in which order blocks thawed, in jobs that measure it, and which stage was undone', () => {
    const plain = someData();
    assert.doesNotMatch(reportPage(plain), /id="ranking"|rolled back/);
    const ranking = { samples: 256, blocks: [{ block: 'block_16', gradient: 0.5, weights: 2, ratio: 0.25 }] };
    const [head, block] = plain.report.stages;
    const rolledBack = { drop: 0.3, maxDrop: 0.1, toEpoch: 1 };
    const stages = [head, { ...block, rolledBack }] as typeof plain.report.stages;
    const job = { ...plain.job, stages: plain.job.stages.map((one) => ({ ...one, select: ['ranked(1)'] })) };
    const page = reportPage({ ...plain, job, report: { ...plain.report, ranking, stages } });
    assert.match(page, /<section id="ranking"[\s\S]*256 training samples[\s\S]*block_16[\s\S]*0\.25/);
    assert.match(page, /<code>block\(block_16\)<\/code>/);
    assert.match(page, /to the state of epoch 2: nothing of this stage is in the result/);
    assert.match(page, /fine-tuned in 1 stage;/);
  });

  it('says what the feature cache brought, and what was chosen for features on disk', () => {
    const bare = { ...noFeatureGain, computed: 1000, read: 5000, fromMemory: 5500, fromDisk: 500, savedSeconds: 125 };
    const choices = [aChoice('pool'), { ...aChoice('relu'), chosen: 'compute' as const }];
    const full = { ...bare, proved: 64, misses: 3, choices };
    const [none, some, all] = [noFeatureGain, bare, full].map((featureCache) => {
      const page = reportPage(someData({ report: { featureCache } }));
      const section = /<section id="feature-cache".*?<\/section>/s.exec(page)?.[0] ?? '';
      return section.replace(/<[^>]*>/g, ' ').replace(/[\s\u202f]+/g, ' ');
    });
    assert.match(none ?? '', /No frozen layer ran in this run/);
    assert.match(
      some ?? '',
      /2 min 05 s of computing saved.*computed 1 000 samples read 5 500 from memory, 500 from disk/,
    );
    assert.doesNotMatch(some ?? '', /proof|did not fit|left on disk/);
    assert.match(all ?? '', /did not fit 3 samples.*proof 64 samples/);
    assert.match(all ?? '', /pool read 1.00 ms 40.00 ms 2 relu computed, which is faster 1.00 ms/);
  });

  it('shows a matrix up to 20 classes, and the most confused pairs beyond', () => {
    const named = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`);
    const [small, large] = [20, 21].map((count) => reportPage(someData({ test: someTest(named(count)) })));
    const shown = [small, large].map((page) => [
      page?.includes('<table class="heat'),
      page?.includes('Most confused pairs'),
    ]);
    assert.deepEqual(shown, [[true, false], [false, true]]); // biome-ignore format: a matrix
  });

  it('says which stages were trained before, and leaves their time out of this run', () => {
    const { report } = someData();
    const reused = { job: 'earlier', uid: '01OLD', trainedAt: '2026-01-04T10:00:00.000Z' };
    const withReused = (count: number): string => {
      const stages = report.stages.map((stage, i) => ({ ...stage, reused: i < count ? reused : null }));
      return reportPage(someData({ report: { stages, stepsReused: 8 * count } }));
    };
    const note = 'Every stage was trained before';
    const said = 'trained by earlier on 2026-01-04 10:00 UTC, not again in this run';
    const found = [0, 1, 2].map((count) => {
      const page = withReused(count);
      return [page.split(said).length - 1, page.includes('id="chart-time-title"'), page.includes(note)];
    });
    assert.deepEqual(found, [
      [0, true, false],
      [1, true, false],
      [2, false, true],
    ]);
    assert.match(withReused(1), /in 4 epochs, 8 of them reused/);
  });

  const brought = [
    ['continue', [5, 8, 7, 9], '80.0 % → 90.0 % +10.0 points validation accuracy'],
    ['continue', [8, 5, 7, 9], '50.0 % → 90.0 % +40.0 points validation accuracy'],
    ['restoreBest', [8, 5, 7, 6], '80.0 % → 70.0 % −10.0 points validation accuracy'],
  ] as const;
  for (const [onEnter, script, said] of brought) {
    it(`says what a stage brought, from the weights it began with (${onEnter}, ${script})`, () => {
      const { job, ...data } = someData({ script });
      const page = reportPage({ ...data, job: { ...job, stages: job.stages.map((stage) => ({ ...stage, onEnter })) } });
      const cards = [...page.matchAll(/<p class="brought">(.*?)<\/p>/g)].map(([, text]) =>
        text?.replace(/<[^>]*>/g, ''),
      );
      assert.deepEqual(cards.slice(0, 2), ['80.0 % validation accuracy, from a head without training', said]);
    });
  }

  it('is there for a run that has nothing to show', () => {
    const empty = { count: 0, accuracy: 0, worstMistakes: [], calibration: [] };
    const page = reportPage({ ...someData({ test: empty }), history: { epochs: [], epochsMissing: 4 } });
    for (const said of ['No epoch was trained', '4 epochs left no figures', 'No test sample could be read']) {
      assert.ok(page.includes(said), said);
    }
    assert.equal(/NaN|Infinity|undefined/.exec(page.replace(/<script>[\s\S]*<\/script>/, '')), null);
  });
});

it('names the loss that the job asks for', () => {
  const tile = (loss: Loss) =>
    /test loss<\/dt><dd><b>[^<]*<\/b><span>([^<]*)/.exec(reportPage(someData({ report: { loss } })))?.[1];
  assert.equal(tile(plainCrossEntropy), 'cross-entropy, in nats');
  assert.equal(tile({ kind: 'mse' }), 'mean squared error');
});

it('colours the diagonal by its share and mistakes by the root of theirs', () => {
  const cells = [
    heatClass(0, 9, true),
    heatClass(5, 10, true),
    heatClass(10, 10, true),
    heatClass(1, 100, false),
    heatClass(0, 0, false),
  ];
  assert.deepEqual(cells, ['nil', 'hit-5', 'hit-9', 'miss-1', 'nil']);
});

it("gives Wilson's interval and the expected calibration error as their definitions say", () => {
  const [low, high] = wilsonInterval(81, 263);
  assert.deepEqual([low.toFixed(4), high.toFixed(4)], ['0.2553', '0.3662']); // Newcombe 1998, table I
  const cells = [
    { count: 4, correct: 1, confidence: 0.5 },
    { count: 6, correct: 6, confidence: 0.9 },
  ];
  const { sure, right, error } = calibrationFigures(cells);
  assert.deepEqual([sure.toFixed(3), right.toFixed(3), error.toFixed(3)], ['0.740', '0.700', '0.160']);
});

it('says what a temperature has changed, and shows the model as it predicts', () => {
  const cells = (confidence: number) => [{ count: 100, correct: 80, confidence }];
  const errors = { errorBefore: 0.15, errorAfter: 0.01, crossEntropyBefore: 0.7, crossEntropyAfter: 0.5 };
  const calibrated = { temperature: 1.5, samples: 40, calibration: cells(0.81), ...errors };
  const page = reportPage(someData({ test: { calibration: cells(0.95), calibrated } }));
  const text = page.replace(/<[^>]*>/g, '');
  assert.match(text, /0\.0100 expected calibration error/);
  assert.match(text, /temperature of 1\.5, fitted on 40 validation samples/);
  assert.match(text, /Without it the error is 0\.1500 and the cross-entropy 0\.7000; with it 0\.0100 and 0\.5000\./);
});

describe('look-alikes', () => {
  const compared = { train: 9, validation: 2, test: 3 };
  const textOf = (data: PageData): string => reportPage(data).replace(/<[^>]*>/g, '');

  it('are shown as pairs, with how many pictures were compared', () => {
    const pair = { set: 'test', id: 'cat/1.png', other: { set: 'train', id: 'cat/7.png' }, likeness: 0.9973 } as const;
    const nearDuplicates = { compared, found: { validation: 0, test: 2 }, listed: [pair, pair] };
    const gone = { kind: 'none', reason: 'gone' } as const;
    const text = textOf({ ...someData({ report: { nearDuplicates } }), lookAlikes: [[gone, gone]] });
    assert.match(text, /2 pictures of the test set and 0 of the validation set look like one of an earlier set/);
    assert.match(text, /9 of 100 in train, 2 of 20 in validation, 3 of 20 in test\. The 1 most alike are shown\./);
    assert.match(text, /99\.73 % alike.*test: cat\/1\.png.*train: cat\/7\.png/s);
  });

  it('that are none, or that nobody looked for, are said to be so', () => {
    const nearDuplicates = { compared, found: { validation: 0, test: 0 }, listed: [] };
    assert.match(
      textOf(someData({ report: { nearDuplicates } })),
      /None among the pictures compared: 9 of 100 in train/,
    );
    assert.match(textOf(someData()), /Look-alikes across the setsNobody looked\./);
  });
});
