// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Welcome {
  'uid'?: (string);
  'term'?: (number | string | Long);
  'runToken'?: (string);
  'natsUrl'?: (string);
  'jobDigest'?: (string);
  'graphDigest'?: (string);
  'manifestDigest'?: (string);
  'weightsDigests'?: (string)[];
  'dataRoot'?: (string);
  'oldGraphDigest'?: (string);
}

export interface Welcome__Output {
  'uid': (string);
  'term': (number);
  'runToken': (string);
  'natsUrl': (string);
  'jobDigest': (string);
  'graphDigest': (string);
  'manifestDigest': (string);
  'weightsDigests': (string)[];
  'dataRoot': (string);
  'oldGraphDigest': (string);
}
