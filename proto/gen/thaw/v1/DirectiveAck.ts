// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface DirectiveAck {
  'term'?: (number | string | Long);
  'revision'?: (number | string | Long);
}

export interface DirectiveAck__Output {
  'term': (number);
  'revision': (number);
}
