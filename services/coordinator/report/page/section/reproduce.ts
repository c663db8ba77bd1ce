// What it takes to get these weights again, bit for bit, and how to tell that one has.

import { markup } from '../markup.ts';
import { groupedText } from '../number-text.ts';
import type { PageData } from '../page-data.ts';
import { type Fact, factList, numbers, type Section } from './parts.ts';

export function reproduceSection({ report, job, origin }: PageData): Section {
  const { engineClass } = report;
  const samples = Object.entries(report.samples).map(([set, count]) => `${groupedText(count)} ${set}`);
  const facts: Fact[] = [
    ['weights', markup`<code>${report.weightsDigest}</code>`],
    ['job', markup`<code>${report.jobDigest}</code>`],
    ['data', markup`<code>${report.dataDigest}</code><br>${job.data.source}: ${samples.join(', ')}`],
    ['pretrained model', markup`<code>${report.modelDigest}</code><br>${job.model.source}: ${origin}`],
    [
      'engine class',
      `${engineClass.engine}, ${engineClass.version}, on ${engineClass.device} (${engineClass.cpuFeatures || 'no features named'}), ${engineClass.threads} thread${engineClass.threads === 1 ? '' : 's'}`,
    ],
    ['probe', markup`<code>${report.probeDigest}</code>`],
    ['seed, shards', `${report.seed}, ${report.shards}`],
    ['trainers', report.trainers.join(', ')],
    ['run', markup`<code>${report.uid}</code>`],
  ];
  const body = markup`<p>The same job file on the same data gives the same weights, bit for bit, on any number of trainers of the same engine class. <code>thaw plan JOB.yaml</code> shows a job's digest: it must be the one below. Then</p>
<pre><code>thaw run JOB.yaml --out ANOTHER-FOLDER</code></pre>
<p>ends with the weights' digest below. On another engine class the last bits differ, and so does the digest.</p>
${factList(facts)}
${numbers('The job with every default filled in', markup`<pre tabindex="0"><code>${JSON.stringify(job, null, 2)}</code></pre>`)}`;
  return { id: 'reproduce', title: 'How to reproduce', body };
}
