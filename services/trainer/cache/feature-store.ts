// Rows wherever they are held: memory first, then disk. Everything that is written goes to both as far as each has room,
// memory for speed and disk for the next process. Whoever reads cannot tell the difference, save by the counts.

import type { Demand, Entry, Level, Row, SampleRef } from './level.ts';
import type { MemoryRows } from './memory-rows.ts';

/** The disk's side; what it cannot do any more it leaves undone. */
export interface DiskRows {
  has(level: Level, ref: SampleRef): boolean;
  /** Undefined when it is not there, or its checksum refuses it. */
  read(level: Level, ref: SampleRef): Uint8Array | undefined;
  append(level: Level, entries: readonly Entry[]): void;
  allot(demands: readonly Demand[]): void;
  roomFor(level: Level): number;
  retain(levels: readonly Level[]): void;
  /** False while it has rows of another process that were not compared with rows of this one. */
  isProven(level: Level): boolean;
  prove(level: Level): void;
  /** Neither reads nor writes the level any more. */
  leave(level: Level): void;
  isLeft(level: Level): boolean;
  /** By this process. */
  readonly bytesWritten: number;
}

export interface FeatureStore {
  /** Where the row is; an entry on disk that is damaged is only found out by reading it. */
  placeOf(level: Level, ref: SampleRef): 'memory' | 'disk' | null;
  /** Undefined when it is not held, or no longer intact. A row from disk moves to memory where it fits. */
  read(level: Level, ref: SampleRef): Row | undefined;
  write(level: Level, entries: readonly Entry[]): void;
  /** Shares the budgets out before a fill, most needed level first. */
  allot(demands: readonly Demand[]): void;
  /** Rows that the level's shares still have room for. */
  roomFor(level: Level): number;
  /** Says which levels may still be read; the others leave memory. */
  retain(levels: readonly Level[]): void;
  /** Null without a disk. */
  readonly disk: DiskRows | null;
  readonly memoryBytes: number;
}

export function featureStore(memory: MemoryRows, disk: DiskRows | null = null): FeatureStore {
  const isOnDisk = (level: Level, ref: SampleRef): boolean => disk?.isProven(level) === true && disk.has(level, ref);
  return {
    disk,
    placeOf(level, ref) {
      if (memory.get(level, ref) !== undefined) return 'memory';
      return isOnDisk(level, ref) ? 'disk' : null;
    },
    read(level, ref) {
      const held = memory.get(level, ref);
      if (held !== undefined) return held;
      const row = isOnDisk(level, ref) ? disk?.read(level, ref) : undefined;
      if (row !== undefined) memory.put(level, [[ref, row]]);
      return row;
    },
    write(level, entries) {
      memory.put(level, entries);
      disk?.append(level, entries);
    },
    allot(demands) {
      memory.allot(demands);
      disk?.allot(demands);
    },
    roomFor: (level) => Math.max(memory.roomFor(level), disk?.roomFor(level) ?? 0),
    retain(levels) {
      memory.retain(levels);
      disk?.retain(levels);
    },
    get memoryBytes() {
      return memory.bytes;
    },
  };
}
