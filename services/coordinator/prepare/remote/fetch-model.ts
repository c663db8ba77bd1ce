// Fetches a tfjs layers-model: model.json and the weight files that it names, which lie beside it. Each is fetched as a
// file of its own; together they get a folder by the digest of their list, which is what `sha256sum` prints for them:
// `#sha256=` behind the address means that list, so that it covers the weights too.

import { copyFile, link, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { digestOf } from '@thaw/common/content/digest.ts';
import { ThawError } from '@thaw/common/errors/thaw-error.ts';
import { storageFailed } from '../../adapters/storage-failure.ts';
import { makeFolder, temporaryName, writeFileWhole } from '../../adapters/write-file.ts';
import { weightFileNames } from '../model-source/layers-model-file.ts';
import { downloadBytesMax } from './download.ts';
import { asToday, type FetchedFile, type FetchOptions, fetchFile, hashOf, sourcesFolder } from './fetch-file.ts';
import { type Address, addressBeside, isFileName } from './remote-address.ts';

const modelBytesMax = 64 * 1024 * 1024;
/** tfjs writes one for every 4 MiB. */
const weightFilesMax = 4096;
/** No weight file may be called so. */
const listName = '.sha256sums';

interface Listed {
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** As fetchFile(); `file` is model.json, and the others lie beside it. */
export async function fetchModel(address: Address, options: FetchOptions): Promise<FetchedFile> {
  const folder = sourcesFolder(options.cacheDirectory);
  const { shown } = address;
  if (address.sha256 !== null && (await isWhole(path.join(folder, address.sha256), address.sha256))) {
    return { file: path.join(folder, address.sha256, address.name), sha256: address.sha256, shown, warning: null };
  }
  const files = await fetchAll(address, options);
  const list = files.map(({ sha256, name }) => `${sha256}  ${name}\n`).join('');
  const sha256 = digestOf(list).slice('sha256:'.length);
  requireDigest(address, sha256, list);
  const together = path.join(folder, sha256);
  try {
    await makeFolder(together);
    for (const { sha256: own, name } of files) await place(path.join(folder, own, name), path.join(together, name));
    await writeFileWhole(path.join(together, listName), list, 'noting what was fetched');
  } catch (thrown) {
    throw storageFailed(thrown, together, `fetching ${shown}`);
  }
  const by = `with ${files.length - 1} weight files beside it`;
  const warning = address.sha256 === null ? asToday(address, { by, sha256 }) : null;
  return { file: path.join(together, address.name), sha256, shown, warning };
}

/** One after the other; all of them together are limited as one file is. */
async function fetchAll(address: Address, options: FetchOptions): Promise<Listed[]> {
  let isSaid = false;
  const fetching = (): void => {
    if (!isSaid) options.fetching?.(`${address.shown} and its weight files`);
    isSaid = true;
  };
  const within = (bytesMax: number): FetchOptions => ({
    ...options,
    fetching,
    limits: { ...options.limits, bytesMax },
  });
  const bytesMax = options.limits?.bytesMax ?? downloadBytesMax;
  let bytesLeft = bytesMax;
  const model = await fetchFile({ ...address, sha256: null }, within(Math.min(bytesMax, modelBytesMax)));
  const files: Listed[] = [{ name: address.name, sha256: model.sha256 }];
  for (const name of await requireNames(address, model.file)) {
    const { sha256, file } = await fetchFile(addressBeside(address, name), within(bytesLeft));
    bytesLeft -= (await stat(file)).size;
    // A file that is in the cache already comes whatever its size.
    if (bytesLeft < 0) throw invalid(`${address.shown}: found weight files of over ${bytesMax} bytes; expected fewer`);
    files.push({ name, sha256 });
  }
  return files;
}

async function requireNames({ name: modelName, shown }: Address, file: string): Promise<readonly string[]> {
  const names = [...new Set(await weightFileNames(file))];
  if (names.length > weightFilesMax) {
    throw invalid(`${shown}: found ${names.length} weight files; expected at most ${weightFilesMax}`);
  }
  for (const name of names) {
    if (isFileName(name) && name !== modelName) continue;
    throw invalid(`${shown}: found the weight file "${name}"; expected the name of a file beside ${modelName}`);
  }
  return names;
}

/** Whether all that the list names is there, bit for bit, and the list is the one meant. */
async function isWhole(folder: string, sha256: string): Promise<boolean> {
  const list = path.join(folder, listName);
  if ((await hashOf(list)) !== sha256) return false;
  for (const line of (await readFile(list, 'utf8')).trimEnd().split('\n')) {
    const [own, name] = line.split('  ');
    if ((await hashOf(path.join(folder, name as string))) !== own) return false;
  }
  return true;
}

/** A second name for the same bytes, where the file system can; whoever reads the old ones keeps them. */
async function place(from: string, to: string): Promise<void> {
  const part = temporaryName(to); // of this process alone: another may be fetching the same model
  try {
    await link(from, part).catch(() => copyFile(from, part));
    await rename(part, to);
  } finally {
    await rm(part, { force: true }); // renaming does nothing where both are the same file already
  }
}

function requireDigest({ shown, sha256: expected }: Address, found: string, list: string): void {
  if (expected === null || found === expected) return;
  const files = list.split('\n').length - 1;
  throw invalid(
    `${shown}: found sha256=${found} of the list that sha256sum prints for its ${files} files; expected sha256=${expected}`,
  );
}

function invalid(message: string): ThawError {
  return new ThawError('ModelInvalid', message);
}
