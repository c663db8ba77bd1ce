// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface RankBlocks {
  'stage'?: (number);
  'step'?: (number | string | Long);
  'restoreDigest'?: (string);
}

export interface RankBlocks__Output {
  'stage': (number);
  'step': (number);
  'restoreDigest': (string);
}
