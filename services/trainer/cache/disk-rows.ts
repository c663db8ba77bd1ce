// Rows on disk, for the next stage that memory is too small for, and for the next process. Two trainers may use one
// folder: each appends to packs of its own and reads everybody's. Space is claimed by making the pack longer before it is
// measured, so the folder never holds more than the budget. Whatever goes wrong costs time only: a damaged entry is
// computed again, and a disk that takes no more is left alone, with one warning.

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '@thaw/common/log/logger.ts';
import type { FeatureCounts } from './feature-counts.ts';
import type { DiskRows } from './feature-store.ts';
import type { Demand, Entry, Level, SampleRef } from './level.ts';
import {
  indexPack,
  type PackedRow,
  type PackPlace,
  packBlockBytes,
  packHeader,
  packHeaderBytes,
  readPackRow,
  writePackBlock,
  writeWhole,
} from './pack-file.ts';
import { levelDirectory, markUsed, packEnding, packsOf, removeLevel, storedLevels } from './pack-folder.ts';
import type { SampleKeyOf } from './sample-key.ts';

export interface DiskRowsOptions {
  /** The cache directory's feature folder. */
  readonly root: string;
  /** Most bytes that all levels in the folder take together. */
  readonly budgetBytes: number;
  readonly keyOf: SampleKeyOf;
  readonly counts: FeatureCounts;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  readonly now: () => Date;
}

interface OpenLevel {
  readonly level: Level;
  /** Open packs by file; the one that this process appends to is also `own`. */
  readonly packs: Map<string, number>;
  readonly places: Map<string, PackPlace & { readonly file: number }>;
  own: { readonly file: number; end: number } | null;
  shareBytes: number;
  /** False while it has rows of another process that nobody has compared with rows of this one. */
  isProven: boolean;
  /** Neither read nor written, so it gets no share: other bits, or slower than computing. */
  isLeft: boolean;
}

export function diskRows(options: DiskRowsOptions): DiskRows {
  const { root, budgetBytes, keyOf, counts, log } = options;
  const open = new Map<string, OpenLevel>();
  let writes = budgetBytes > 0;
  let bytesWritten = 0;

  const giveUpWriting = (reason: string): void => {
    if (writes) log.warn({ root }, `the feature cache keeps nothing more on disk: ${reason}; the job goes on without`);
    writes = false;
  };
  /** Does the work, or gives up writing and returns the other value. */
  const orGiveUp = <T>(work: () => T, other: T): T => {
    try {
      return work();
    } catch (thrown) {
      giveUpWriting(thrown instanceof Error ? thrown.message : String(thrown));
      return other;
    }
  };
  const damaged = (file: string, what: string): void => {
    counts.corrupt += 1;
    log.warn({ file }, `the feature cache is damaged: ${file}: ${what}; that part is computed again`);
  };
  const readPacks = (opened: OpenLevel): void => {
    for (const file of packsOf(levelDirectory(root, opened.level))) readPack(opened, file, damaged);
  };
  const openLevel = (level: Level): OpenLevel => {
    const known = open.get(level.key);
    if (known) return known;
    const opened: OpenLevel = {
      level,
      packs: new Map(),
      places: new Map(),
      own: null,
      shareBytes: 0,
      isProven: true,
      isLeft: false,
    };
    open.set(level.key, opened);
    orGiveUp(() => readPacks(opened), undefined);
    return opened;
  };
  const placeOf = (level: Level, ref: SampleRef) => {
    const sample = keyOf(ref);
    const place = sample === null ? undefined : open.get(level.key)?.places.get(sample);
    return sample === null || !place ? null : { sample, place };
  };
  const lackingOf = (opened: OpenLevel, refs: readonly SampleRef[]): number => {
    const samples = new Set(refs.map(keyOf).filter((sample) => sample !== null));
    return [...samples].filter((sample) => !opened.places.has(sample)).length;
  };

  return {
    has: (level, ref) => placeOf(level, ref) !== null,
    read(level, ref) {
      const found = placeOf(level, ref);
      if (!found) return undefined;
      const { sample, place } = found;
      const row = orGiveUp(() => readPackRow(place.file, sample, place, level.rowBytes), null);
      if (row) return row;
      open.get(level.key)?.places.delete(sample);
      damaged(levelDirectory(root, level), `the checksum refuses sample ${sample}`);
      return undefined;
    },
    append(level, entries) {
      if (!writes) return;
      const opened = openLevel(level);
      const rows = rowsToAppend(opened, entries, keyOf);
      if (rows.length > 0) bytesWritten += orGiveUp(() => appendBlock(opened, rows, options), 0);
    },
    allot(demands: readonly Demand[]) {
      if (!writes) return;
      orGiveUp(() => {
        const wanted = demands.map(({ level, refs }) => ({ opened: openLevel(level), refs }));
        const needs = wanted.map(({ opened, refs }) =>
          opened.isLeft ? 0 : spaceFor(lackingOf(opened, refs), opened.level),
        );
        const needed = needs.reduce((sum, bytes) => sum + bytes, 0);
        makeRoom(options, open, needed);
        let left = Math.max(0, budgetBytes - usedBytes(root));
        for (const opened of open.values()) opened.shareBytes = 0;
        for (const [i, { opened }] of wanted.entries()) {
          opened.shareBytes = Math.min(left, needs[i] ?? 0);
          left -= opened.shareBytes;
        }
      }, undefined);
    },
    roomFor(level) {
      const share = writes ? (open.get(level.key)?.shareBytes ?? 0) : 0;
      return Math.max(0, Math.floor(share / packBlockBytes(1, level.rowBytes)));
    },
    retain(levels) {
      const keys = new Set(levels.map(({ key }) => key));
      for (const [key, { packs }] of open) {
        if (keys.has(key)) continue;
        for (const file of packs.values()) closeSync(file);
        open.delete(key);
      }
      for (const level of levels) {
        // Packs are listed once: what other trainers of this run write since is of their samples, and would need a proof.
        const opened = openLevel(level);
        if (opened.places.size > 0) orGiveUp(() => markUsed(root, level, options.now()), undefined);
      }
    },
    isProven: (level) => open.get(level.key)?.isProven ?? true,
    prove(level) {
      openLevel(level).isProven = true;
    },
    leave(level) {
      const opened = openLevel(level);
      opened.isLeft = true;
      opened.isProven = true;
      opened.shareBytes = 0;
      opened.places.clear();
    },
    isLeft: (level) => open.get(level.key)?.isLeft ?? false,
    get bytesWritten() {
      return bytesWritten;
    },
  };
}

/** An upper bound, as if each row had a block of its own. */
function spaceFor(rows: number, { rowBytes }: Level): number {
  return rows === 0 ? 0 : packHeaderBytes + rows * packBlockBytes(1, rowBytes);
}

function readPack(opened: OpenLevel, file: string, damaged: (file: string, what: string) => void): void {
  const { level } = opened;
  const pack = openSync(file, 'r');
  opened.packs.set(file, pack);
  const kind = { levelKey: level.key, rowBytes: level.rowBytes };
  const { places, damage, unfinished } = indexPack(pack, fstatSync(pack).size, kind);
  for (const [sample, place] of places) opened.places.set(sample, { ...place, file: pack });
  opened.isProven &&= places.size === 0;
  if (damage !== null && !(unfinished && isBeingWritten(file))) damaged(file, damage);
}

/** A pack carries its writer's process number; elsewhere it means another process, and the end of a pack is only said wrongly. */
function isBeingWritten(file: string): boolean {
  try {
    return process.kill(Number.parseInt(path.basename(file), 10), 0);
  } catch {
    return false;
  }
}

/** Each sample once, as far as the level's share reaches. */
function rowsToAppend(
  { level, places, shareBytes }: OpenLevel,
  entries: readonly Entry[],
  keyOf: SampleKeyOf,
): PackedRow[] {
  const rows = new Map<string, PackedRow>();
  for (const [ref, row] of entries) {
    const sample = keyOf(ref);
    if (sample === null || row === 'bad' || places.has(sample)) continue;
    if (packBlockBytes(rows.size + 1, level.rowBytes) > shareBytes) break;
    rows.set(sample, { sample, row });
  }
  return [...rows.values()];
}

/** Bytes that were written: 0 when the budget has no room for them. */
function appendBlock(opened: OpenLevel, rows: readonly PackedRow[], options: DiskRowsOptions): number {
  const { level } = opened;
  const { root, budgetBytes } = options;
  opened.own ??= newPack(opened, options);
  const { own } = opened;
  const size = packBlockBytes(rows.length, level.rowBytes);
  try {
    ftruncateSync(own.file, own.end + size);
    if (usedBytes(root) > budgetBytes) {
      ftruncateSync(own.file, own.end);
      opened.shareBytes = 0;
      return 0;
    }
    const places = writePackBlock(own.file, own.end, rows);
    for (const [sample, place] of places) opened.places.set(sample, { ...place, file: own.file });
  } catch (thrown) {
    ftruncateSync(own.file, own.end);
    throw thrown;
  }
  own.end += size;
  opened.shareBytes -= size;
  return size;
}

function newPack(opened: OpenLevel, { root, now }: DiskRowsOptions): { file: number; end: number } {
  markUsed(root, opened.level, now());
  const name = path.join(
    levelDirectory(root, opened.level),
    `${process.pid}-${randomBytes(8).toString('hex')}${packEnding}`,
  );
  const file = openSync(name, 'wx+');
  writeWhole(file, packHeader({ levelKey: opened.level.key, rowBytes: opened.level.rowBytes }), 0);
  opened.packs.set(name, file);
  return { file, end: packHeaderBytes };
}

function usedBytes(root: string): number {
  return storedLevels(root).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Removes levels of other jobs, the longest unused first. Who still reads them keeps the open files. */
function makeRoom(
  { root, budgetBytes, log }: DiskRowsOptions,
  kept: ReadonlyMap<string, unknown>,
  needed: number,
): void {
  let used = usedBytes(root);
  for (const stored of storedLevels(root)) {
    if (used + needed <= budgetBytes) return;
    if (kept.has(stored.key)) continue;
    removeLevel(stored);
    used -= stored.bytes;
    log.info({ level: stored.key, bytes: stored.bytes }, `the feature cache forgot ${stored.name} to make room`);
  }
}
