// Original file: thaw/v1/session.proto

import type { Welcome as _thaw_v1_Welcome, Welcome__Output as _thaw_v1_Welcome__Output } from '../../thaw/v1/Welcome.ts';
import type { Refusal as _thaw_v1_Refusal, Refusal__Output as _thaw_v1_Refusal__Output } from '../../thaw/v1/Refusal.ts';
import type { Directive as _thaw_v1_Directive, Directive__Output as _thaw_v1_Directive__Output } from '../../thaw/v1/Directive.ts';

export interface CoordinatorMessage {
  'welcome'?: (_thaw_v1_Welcome | null);
  'refusal'?: (_thaw_v1_Refusal | null);
  'directive'?: (_thaw_v1_Directive | null);
  'body'?: "welcome"|"refusal"|"directive";
}

export interface CoordinatorMessage__Output {
  'welcome'?: (_thaw_v1_Welcome__Output | null);
  'refusal'?: (_thaw_v1_Refusal__Output | null);
  'directive'?: (_thaw_v1_Directive__Output | null);
  'body'?: "welcome"|"refusal"|"directive";
}
