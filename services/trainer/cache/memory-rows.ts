// Rows in memory, of several levels under one budget. A fill shares the budget out first, most needed level first, so
// that what comes along for a later stage never takes the room of what this stage reads in every epoch.

import { type Demand, type Entry, type Level, type Row, refKey, type SampleRef } from './level.ts';

export interface MemoryRows {
  get(level: Level, ref: SampleRef): Row | undefined;
  /** Copies what fits the level's share and is not there yet. */
  put(level: Level, entries: readonly Entry[]): void;
  /**
   * Shares the budget out in this order: each level keeps what it holds and gets room for what it lacks. Levels that are
   * not named keep what is left over. Rows beyond a level's share are dropped, oldest first.
   */
  allot(demands: readonly Demand[]): void;
  /** Rows that the level's share still has room for. */
  roomFor(level: Level): number;
  /** Drops every level that is not named. */
  retain(levels: readonly Level[]): void;
  readonly bytes: number;
}

interface Held {
  readonly rowBytes: number;
  readonly rows: Map<string, Row>;
  bytes: number;
  shareBytes: number;
}

export function memoryRows(budgetBytes: number): MemoryRows {
  const levels = new Map<string, Held>();
  const heldOf = ({ key, rowBytes }: Level): Held => {
    const known = levels.get(key);
    if (known) return known;
    const held: Held = { rowBytes, rows: new Map(), bytes: 0, shareBytes: 0 };
    levels.set(key, held);
    return held;
  };
  return {
    get: ({ key }, ref) => levels.get(key)?.rows.get(refKey(ref)),
    put(level, entries) {
      const held = heldOf(level);
      for (const [ref, row] of entries) {
        const size = row === 'bad' ? 0 : level.rowBytes;
        const key = refKey(ref);
        if (held.rows.has(key) || held.bytes + size > held.shareBytes) continue;
        held.rows.set(key, row === 'bad' ? row : row.slice());
        held.bytes += size;
      }
    },
    allot(demands) {
      let left = budgetBytes;
      const named = demands.map(({ level, refs }) => {
        const held = heldOf(level);
        return { held, lacking: refs.filter((ref) => !held.rows.has(refKey(ref))).length };
      });
      const others = [...levels.values()].filter((held) => !named.some((one) => one.held === held));
      for (const { held, lacking } of [...named, ...others.map((held) => ({ held, lacking: 0 }))]) {
        held.shareBytes = Math.min(left, held.bytes + lacking * held.rowBytes);
        dropBeyondShare(held);
        left -= held.shareBytes;
      }
    },
    roomFor: ({ key, rowBytes }) => {
      const held = levels.get(key);
      return held ? Math.floor((held.shareBytes - held.bytes) / rowBytes) : 0;
    },
    retain(kept) {
      const keys = new Set(kept.map(({ key }) => key));
      for (const key of levels.keys()) if (!keys.has(key)) levels.delete(key);
    },
    get bytes() {
      return [...levels.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    },
  };
}

function dropBeyondShare(held: Held): void {
  for (const [key, row] of held.rows) {
    if (held.bytes <= held.shareBytes) return;
    held.rows.delete(key);
    held.bytes -= row === 'bad' ? 0 : held.rowBytes;
  }
}
