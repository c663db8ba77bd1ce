// Original file: thaw/v1/session.proto

import type { BlockNorms as _thaw_v1_BlockNorms, BlockNorms__Output as _thaw_v1_BlockNorms__Output } from '../../thaw/v1/BlockNorms.ts';
import type { Long } from '@grpc/proto-loader';

export interface Ranked {
  'blocks'?: (_thaw_v1_BlockNorms)[];
  'count'?: (number | string | Long);
}

export interface Ranked__Output {
  'blocks': (_thaw_v1_BlockNorms__Output)[];
  'count': (number);
}
