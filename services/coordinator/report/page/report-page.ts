// OUT/report.html: a finished run on one page that carries everything with it. Pure. A policy inside the page forbids
// whatever it does not carry: no address is ever asked, and only the one script whose digest is named may run.

import { createHash } from 'node:crypto';
import { type Markup, markup, trusted } from './markup.ts';
import type { PageData } from './page-data.ts';
import { pageStyle } from './page-style.ts';
import { badSamplesSection } from './section/bad-samples.ts';
import { calibrationSection } from './section/calibration.ts';
import { curvesSection } from './section/curves.ts';
import { featureCacheSection } from './section/feature-cache.ts';
import { forgettingSection } from './section/forgetting.ts';
import { mistakesSection } from './section/mistakes.ts';
import { nearDuplicatesSection } from './section/near-duplicates.ts';
import { type Section, sectionMarkup } from './section/parts.ts';
import { rankingSection } from './section/ranking.ts';
import { reproduceSection } from './section/reproduce.ts';
import { stagesSection } from './section/stages.ts';
import { summaryHeader } from './section/summary.ts';
import { testResultsSection } from './section/test-results.ts';
import { sortScript } from './sort-script.ts';

export function reportPage(data: PageData): string {
  const sections: readonly Section[] = [
    curvesSection(data),
    ...forgettingSection(data),
    stagesSection(data),
    ...rankingSection(data),
    featureCacheSection(data),
    testResultsSection(data),
    mistakesSection(data),
    calibrationSection(data),
    nearDuplicatesSection(data),
    badSamplesSection(data),
    reproduceSection(data),
  ];
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Thaw">
<link rel="icon" href="data:,">
<title>${data.report.name}: Thaw training report</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
${summaryHeader(data)}
${contents(sections)}
<main>${sections.map(sectionMarkup)}</main>
<footer>Made by Thaw from report.json and events.jsonl, which lie beside this page and have every figure.</footer>
<script>${trusted(sortScript)}</script>
</body>
</html>
`;
  return page.text;
}

function contents(sections: readonly Section[]): Markup {
  const links = sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`);
  return markup`<nav aria-label="Contents"><ul>${links}</ul></nav>`;
}

const contentPolicy = [
  "default-src 'none'",
  'img-src data:',
  `style-src '${digestSource(pageStyle)}'`,
  `script-src '${digestSource(sortScript)}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function digestSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
