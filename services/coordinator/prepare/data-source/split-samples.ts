// Divides samples into train, validation and test by the hash of their id, or of their group's, class by class. A group
// is never divided. The same samples always fall into the same sets.

import { createHash } from 'node:crypto';
import type { SplitName } from '@thaw/common/data/manifest.ts';
import type { ListedSample } from './sample-list.ts';

export interface Fractions {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

interface Unit {
  readonly hash: string;
  readonly samples: ListedSample[];
}

/** Sets by sample id. */
export function splitSamples(samples: readonly ListedSample[], fractions: Fractions): Map<string, SplitName> {
  const sets = new Map<string, SplitName>();
  for (const units of unitsByClass(samples).values()) {
    units.sort((a, b) => (a.hash < b.hash ? -1 : 1));
    const total = units.reduce((sum, unit) => sum + unit.samples.length, 0);
    let before = 0;
    for (const { samples: members } of units) {
      const middle = (before + members.length / 2) / total;
      for (const { id } of members) sets.set(id, setAt(middle, fractions));
      before += members.length;
    }
  }
  return sets;
}

/** Groups, or single samples, by the class that most of their samples have. */
function unitsByClass(samples: readonly ListedSample[]): Map<string, Unit[]> {
  const units = new Map<string, Unit>();
  for (const sample of samples) {
    const key = sample.group === undefined ? `sample ${sample.id}` : `group ${sample.group}`;
    const unit = units.get(key) ?? { hash: createHash('sha256').update(key).digest('hex'), samples: [] };
    unit.samples.push(sample);
    units.set(key, unit);
  }
  const byClass = new Map<string, Unit[]>();
  for (const unit of units.values()) {
    const label = mostFrequent(unit.samples.map((sample) => sample.label));
    const sameClass = byClass.get(label) ?? [];
    sameClass.push(unit);
    byClass.set(label, sameClass);
  }
  return byClass;
}

function mostFrequent(labels: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [first = ['', 0]] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first[0];
}

function setAt(middle: number, { train, validation, test }: Fractions): SplitName {
  const total = train + validation + test;
  if (middle < train / total) return 'train';
  return middle < (train + validation) / total ? 'validation' : 'test';
}
