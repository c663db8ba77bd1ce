// Original file: thaw/v1/blobs.proto


export interface StoreChunk {
  'data'?: (Buffer | Uint8Array | string);
}

export interface StoreChunk__Output {
  'data': (Buffer);
}
