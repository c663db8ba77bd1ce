// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Train {
  'stage'?: (number);
  'epoch'?: (number);
  'firstStep'?: (number | string | Long);
  'lastStep'?: (number | string | Long);
  'stageFirstStep'?: (number | string | Long);
  'restoreDigest'?: (string);
  'resetOptimizer'?: (boolean);
}

export interface Train__Output {
  'stage': (number);
  'epoch': (number);
  'firstStep': (number);
  'lastStep': (number);
  'stageFirstStep': (number);
  'restoreDigest': (string);
  'resetOptimizer': (boolean);
}
