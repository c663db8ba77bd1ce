// OUT/report.html of a finished run, in a real browser: it asks for nothing, complains about nothing, fits a phone, and
// its tables sort. Class and file names are hostile on purpose; the pictures are real.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeFileWhole } from '@thaw/coordinator/adapters/write-file.ts';
import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { Report } from '@thaw/coordinator/report/build-report.ts';
import { makeReportPage } from '@thaw/coordinator/report/page/make-report-page.ts';
import { chromiumFile, type Page, withPage } from '../support/chromium.ts';
import { type TinyResult, writeTinyResult } from '../support/fixtures/tiny-result.ts';

const browser = chromiumFile();
const noBrowser = browser ? false : 'no chromium on PATH';

/** Names that a folder may have: no slash. */
const classes = ['<img src=x onerror=alert(1)>', '"><svg onload=alert(2)>', "it's & <b>bold<b>"];

let folder = '';
let result: TinyResult;
let report: Report;
/** The exported page, and one of the same run with mistakes: its pictures are there, but for the last one's. */
let pages: { readonly exported: string; readonly withMistakes: string };

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'thaw-report-page-'));
  result = await writeTinyResult(folder, { images: { classes, perClass: 10 } });
  const files = resultFiles(result.out);
  report = JSON.parse(await readFile(files.report, 'utf8')) as Report;
  const { job, origin, manifest, dataRoot } = result.prepared;
  const { ids, labels } = manifest.sets.test;
  const worstMistakes = ids.map((id, row) => ({
    id,
    truth: classes[labels[row] as number] as string,
    prediction: classes[((labels[row] as number) + 1) % classes.length] as string,
    probability: 0.9,
  }));
  const calibration = Array.from({ length: 10 }, (_, i) => ({ count: i, correct: i >> 1, confidence: (i + 0.5) / 10 }));
  const last = path.resolve(dataRoot, manifest.sets.test.paths.at(-1) as string);
  await rename(last, `${last}.away`);
  const test = { ...report.test, count: 3, accuracy: 0, worstMistakes, calibration };
  const sources = { report: { ...report, test }, job, origin, manifest, dataRoot };
  const page = await makeReportPage({ ...sources, eventsFile: files.events, endedAt: Date.UTC(2026, 0, 5) });
  const withMistakes = path.join(folder, 'with mistakes.html');
  await writeFileWhole(withMistakes, page, 'writing the page');
  await cp(files.page, path.join(folder, 'exported.html'));
  pages = { exported: path.join(folder, 'exported.html'), withMistakes };
});
after(() => rm(folder, { recursive: true, force: true }));

it('is written beside the report, and carries pictures of mistakes', async () => {
  const [exported, withMistakes] = [await readFile(pages.exported, 'utf8'), await readFile(pages.withMistakes, 'utf8')];
  assert.ok(exported.includes(report.weightsDigest));
  const mistakes = result.prepared.manifest.sets.test.ids.length;
  assert.ok(mistakes >= 3, `${mistakes} test samples`);
  assert.equal(withMistakes.match(/<img src="data:image\/jpeg;base64,/g)?.length, mistakes - 1);
  assert.equal(withMistakes.match(/its file is no longer there/g)?.length, 1);
});

describe('in a browser', { skip: noBrowser }, () => {
  const opened = <T>(file: string, work: (page: Page) => Promise<T>): Promise<T> =>
    withPage(browser as string, file, work);

  for (const name of ['exported', 'withMistakes'] as const) {
    it(`asks for nothing and complains about nothing (${name})`, async () => {
      await opened(pages[name], async (page) => {
        for (const scheme of ['light', 'dark'] as const) await page.show({ width: 1280, height: 800, scheme });
        assert.equal(await page.evaluate('document.readyState'), 'complete');
        assert.deepEqual([page.complaints, page.requests()], [[], []]);
      });
    });
  }

  it('notices what it is there to notice', async () => {
    const broken = path.join(folder, 'broken.html');
    const text = await readFile(pages.exported, 'utf8');
    const image = '<img src="http://127.0.0.1:9/x.png" onerror="document.title = 1">';
    await writeFileWhole(broken, text.replace('<footer>', `${image}<footer>`), 'writing a page');
    const without = path.join(folder, 'without.html');
    const open = text.replace(/<meta http-equiv[^>]*>/, '').replace('<footer>', `${image}<footer>`);
    await writeFileWhole(without, open, 'writing a page');
    await opened(broken, async ({ complaints, requests }) => {
      assert.match(complaints.join('\n'), /violates the following Content Security Policy directive/);
      assert.deepEqual(requests(), [], 'the policy keeps the page from asking');
    });
    await opened(without, async ({ requests }) => assert.deepEqual(requests(), ['http://127.0.0.1:9/x.png']));
  });

  it('shows hostile names as text', async () => {
    await opened(pages.withMistakes, async (page) => {
      const rows = 'document.querySelectorAll("table.sortable")[0].tBodies[0].rows';
      const names = await page.evaluate<string[]>(`[...${rows}].map((row) => row.cells[0].textContent)`);
      assert.deepEqual(names, [...report.test.classes]);
      const pictures = result.prepared.manifest.sets.test.ids.length - 1;
      const loaded = '[...document.images].filter((image) => image.complete && image.naturalWidth > 0).length';
      assert.deepEqual(await page.evaluate(`[document.images.length, ${loaded}]`), [pictures, pictures]);
    });
  });

  it('fits a phone, a desk and paper: only boxes made for it scroll', async () => {
    await opened(pages.withMistakes, async (page) => {
      await page.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true; })');
      for (const width of [390, 768, 1280]) {
        for (const media of ['screen', 'print'] as const) {
          if (media === 'print' && width === 390) continue;
          await page.show({ width, height: 900, media });
          const found = await page.evaluate<number>('document.documentElement.scrollWidth');
          assert.ok(found <= width, `${found} wide at ${width}, ${media}`);
        }
      }
    });
  });

  it('sorts a table by the heading that is pressed, and the other way when it is pressed again', async () => {
    await opened(pages.exported, async (page) => {
      const press = (column: number): Promise<[string[], string | null]> =>
        page.evaluate(`(() => {
          const table = document.querySelector('table.sortable');
          const head = table.tHead.rows[0].cells[${column}];
          head.querySelector('button').click();
          return [[...table.tBodies[0].rows].map((row) => row.cells[${column}].dataset.value ?? row.cells[0].textContent), head.ariaSort];
        })()`);
      const byName = [...report.test.classes].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      assert.deepEqual(await press(0), [byName, 'ascending']);
      assert.deepEqual(await press(0), [[...byName].reverse(), 'descending']);
      const byF1 = report.test.perClass.map(({ f1 }) => String(f1)).sort((a, b) => Number(b) - Number(a));
      assert.deepEqual(await press(3), [byF1, 'descending']);
      assert.deepEqual(await press(3), [[...byF1].reverse(), 'ascending']);
    });
  });
});
