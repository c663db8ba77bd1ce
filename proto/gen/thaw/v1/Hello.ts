// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Hello {
  'protocolVersion'?: (number);
  'incarnation'?: (string);
  'name'?: (string);
  'pid'?: (number);
  'highestTerm'?: (number | string | Long);
  'jobDigest'?: (string);
}

export interface Hello__Output {
  'protocolVersion': (number);
  'incarnation': (string);
  'name': (string);
  'pid': (number);
  'highestTerm': (number);
  'jobDigest': (string);
}
