// Original file: thaw/v1/session.proto

import type { GenerationInfo as _thaw_v1_GenerationInfo, GenerationInfo__Output as _thaw_v1_GenerationInfo__Output } from '../../thaw/v1/GenerationInfo.ts';
import type { Wait as _thaw_v1_Wait, Wait__Output as _thaw_v1_Wait__Output } from '../../thaw/v1/Wait.ts';
import type { Train as _thaw_v1_Train, Train__Output as _thaw_v1_Train__Output } from '../../thaw/v1/Train.ts';
import type { Evaluate as _thaw_v1_Evaluate, Evaluate__Output as _thaw_v1_Evaluate__Output } from '../../thaw/v1/Evaluate.ts';
import type { StoreState as _thaw_v1_StoreState, StoreState__Output as _thaw_v1_StoreState__Output } from '../../thaw/v1/StoreState.ts';
import type { Finish as _thaw_v1_Finish, Finish__Output as _thaw_v1_Finish__Output } from '../../thaw/v1/Finish.ts';
import type { RankBlocks as _thaw_v1_RankBlocks, RankBlocks__Output as _thaw_v1_RankBlocks__Output } from '../../thaw/v1/RankBlocks.ts';
import type { Halt as _thaw_v1_Halt, Halt__Output as _thaw_v1_Halt__Output } from '../../thaw/v1/Halt.ts';
import type { Long } from '@grpc/proto-loader';

export interface Directive {
  'term'?: (number | string | Long);
  'revision'?: (number | string | Long);
  'generation'?: (_thaw_v1_GenerationInfo | null);
  'wait'?: (_thaw_v1_Wait | null);
  'train'?: (_thaw_v1_Train | null);
  'evaluate'?: (_thaw_v1_Evaluate | null);
  'store'?: (_thaw_v1_StoreState | null);
  'finish'?: (_thaw_v1_Finish | null);
  'rank'?: (_thaw_v1_RankBlocks | null);
  'rankedBlocks'?: (string)[];
  'halt'?: (_thaw_v1_Halt | null);
  'work'?: "wait"|"train"|"evaluate"|"store"|"finish"|"rank"|"halt";
}

export interface Directive__Output {
  'term': (number);
  'revision': (number);
  'generation': (_thaw_v1_GenerationInfo__Output | null);
  'wait'?: (_thaw_v1_Wait__Output | null);
  'train'?: (_thaw_v1_Train__Output | null);
  'evaluate'?: (_thaw_v1_Evaluate__Output | null);
  'store'?: (_thaw_v1_StoreState__Output | null);
  'finish'?: (_thaw_v1_Finish__Output | null);
  'rank'?: (_thaw_v1_RankBlocks__Output | null);
  'rankedBlocks': (string)[];
  'halt'?: (_thaw_v1_Halt__Output | null);
  'work'?: "wait"|"train"|"evaluate"|"store"|"finish"|"rank"|"halt";
}
