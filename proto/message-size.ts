// The largest gRPC message that either side takes or sends. Blobs come in chunks of half a mebibyte; what grows is the
// report of an evaluation, which counts only what occurs: a megabyte or two at 1,000 classes, tens at 10,000. A larger
// message is refused by name instead of taking the receiver's memory.

export const messageBytesMax = 64 * 1024 * 1024;
