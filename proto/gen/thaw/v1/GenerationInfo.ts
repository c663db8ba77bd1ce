// Original file: thaw/v1/session.proto

import type { MemberInfo as _thaw_v1_MemberInfo, MemberInfo__Output as _thaw_v1_MemberInfo__Output } from '../../thaw/v1/MemberInfo.ts';
import type { Long } from '@grpc/proto-loader';

export interface GenerationInfo {
  'number'?: (number | string | Long);
  'members'?: (_thaw_v1_MemberInfo)[];
  'shardOwners'?: (number)[];
  'firstStep'?: (number | string | Long);
}

export interface GenerationInfo__Output {
  'number': (number);
  'members': (_thaw_v1_MemberInfo__Output)[];
  'shardOwners': (number)[];
  'firstStep': (number);
}
