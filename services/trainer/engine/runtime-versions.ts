// Versions that decide bits beside the engine's own: Node's (Math.cos, Math.log and Math.exp are its JavaScript
// engine's), and the image decoder's.

import sharp from 'sharp';

/** `node 20.19.0, sharp 0.34.1, libvips 8.16.1`. */
export function runtimeVersions(): string {
  return `node ${process.versions.node}, sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
}
