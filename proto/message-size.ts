// The largest gRPC message that either side takes or sends. Blobs come in chunks of half a mebibyte; what grows is the
// report of an evaluation: at most 64 parts with classes x classes counts, mostly zeros of one byte each, so about
// 1,000 classes fit. A larger message is refused by name instead of taking the receiver's memory.

export const messageBytesMax = 64 * 1024 * 1024;
