// The view for programs: each event of the job on stdout as one line of JSON, as in OUT/events.jsonl, and a last line
// that says how the run ended. Whatever is meant for people goes to stderr.

import { resultFiles } from '@thaw/coordinator/export/result-files.ts';
import type { RunEnding } from './ending.ts';
import { newEvents } from './job-event.ts';
import type { RunView } from './run-view.ts';

export interface JsonViewOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function createJsonView({ stdout, stderr }: JsonViewOptions): RunView {
  let sequence = 0;
  let ended = false;
  return {
    starting: () => undefined,
    update({ events }) {
      const lines = newEvents(events, sequence);
      sequence = lines.at(-1)?.event.sequence ?? sequence;
      stdout.write(lines.map(({ text }) => `${text}\n`).join(''));
    },
    warn: (message) => void stderr.write(`warning: ${message}\n`),
    end(ending) {
      if (ended) return;
      ended = true;
      stdout.write(`${JSON.stringify(endedLine(ending))}\n`);
    },
  };
}

function endedLine(ending: RunEnding): Record<string, unknown> {
  const kind = 'runEnded';
  switch (ending.kind) {
    case 'succeeded': {
      const { out, report } = ending;
      const { weightsDigest, jobDigest, test, badSamples } = report;
      const { loss, accuracy, macroF1, auc, top5, count } = test;
      return {
        kind,
        outcome: 'succeeded',
        out,
        report: resultFiles(out).report,
        weightsDigest,
        jobDigest,
        test: { loss, accuracy, macroF1, auc, ...(top5 === undefined ? {} : { top5 }), count },
        badSamples: badSamples.counts,
        predictCommand: ending.predictCommand,
      };
    }
    case 'failed': {
      const { code, message, kept, logLines } = ending;
      return { kind, outcome: 'failed', code, message, kept, logLines };
    }
    case 'cancelled':
      return { kind, outcome: 'cancelled', kept: ending.kept };
  }
}
