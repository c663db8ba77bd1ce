// Original file: thaw/v1/session.proto

import type { Welcome as _thaw_v1_Welcome, Welcome__Output as _thaw_v1_Welcome__Output } from '../../thaw/v1/Welcome.ts';
import type { Refusal as _thaw_v1_Refusal, Refusal__Output as _thaw_v1_Refusal__Output } from '../../thaw/v1/Refusal.ts';
import type { Directive as _thaw_v1_Directive, Directive__Output as _thaw_v1_Directive__Output } from '../../thaw/v1/Directive.ts';
import type { Plan as _thaw_v1_Plan, Plan__Output as _thaw_v1_Plan__Output } from '../../thaw/v1/Plan.ts';

export interface CoordinatorMessage {
  'welcome'?: (_thaw_v1_Welcome | null);
  'refusal'?: (_thaw_v1_Refusal | null);
  'directive'?: (_thaw_v1_Directive | null);
  'plan'?: (_thaw_v1_Plan | null);
  'body'?: "welcome"|"refusal"|"directive"|"plan";
}

export interface CoordinatorMessage__Output {
  'welcome'?: (_thaw_v1_Welcome__Output | null);
  'refusal'?: (_thaw_v1_Refusal__Output | null);
  'directive'?: (_thaw_v1_Directive__Output | null);
  'plan'?: (_thaw_v1_Plan__Output | null);
  'body'?: "welcome"|"refusal"|"directive"|"plan";
}
