// Original file: thaw/v1/session.proto

import type { Hello as _thaw_v1_Hello, Hello__Output as _thaw_v1_Hello__Output } from '../../thaw/v1/Hello.ts';
import type { Ready as _thaw_v1_Ready, Ready__Output as _thaw_v1_Ready__Output } from '../../thaw/v1/Ready.ts';
import type { Heartbeat as _thaw_v1_Heartbeat, Heartbeat__Output as _thaw_v1_Heartbeat__Output } from '../../thaw/v1/Heartbeat.ts';
import type { DirectiveAck as _thaw_v1_DirectiveAck, DirectiveAck__Output as _thaw_v1_DirectiveAck__Output } from '../../thaw/v1/DirectiveAck.ts';
import type { Report as _thaw_v1_Report, Report__Output as _thaw_v1_Report__Output } from '../../thaw/v1/Report.ts';
import type { BadSamples as _thaw_v1_BadSamples, BadSamples__Output as _thaw_v1_BadSamples__Output } from '../../thaw/v1/BadSamples.ts';
import type { Failure as _thaw_v1_Failure, Failure__Output as _thaw_v1_Failure__Output } from '../../thaw/v1/Failure.ts';
import type { Goodbye as _thaw_v1_Goodbye, Goodbye__Output as _thaw_v1_Goodbye__Output } from '../../thaw/v1/Goodbye.ts';
import type { SnapshotTaken as _thaw_v1_SnapshotTaken, SnapshotTaken__Output as _thaw_v1_SnapshotTaken__Output } from '../../thaw/v1/SnapshotTaken.ts';

export interface TrainerMessage {
  'hello'?: (_thaw_v1_Hello | null);
  'ready'?: (_thaw_v1_Ready | null);
  'heartbeat'?: (_thaw_v1_Heartbeat | null);
  'ack'?: (_thaw_v1_DirectiveAck | null);
  'report'?: (_thaw_v1_Report | null);
  'badSamples'?: (_thaw_v1_BadSamples | null);
  'failure'?: (_thaw_v1_Failure | null);
  'goodbye'?: (_thaw_v1_Goodbye | null);
  'snapshotTaken'?: (_thaw_v1_SnapshotTaken | null);
  'body'?: "hello"|"ready"|"heartbeat"|"ack"|"report"|"badSamples"|"failure"|"goodbye"|"snapshotTaken";
}

export interface TrainerMessage__Output {
  'hello'?: (_thaw_v1_Hello__Output | null);
  'ready'?: (_thaw_v1_Ready__Output | null);
  'heartbeat'?: (_thaw_v1_Heartbeat__Output | null);
  'ack'?: (_thaw_v1_DirectiveAck__Output | null);
  'report'?: (_thaw_v1_Report__Output | null);
  'badSamples'?: (_thaw_v1_BadSamples__Output | null);
  'failure'?: (_thaw_v1_Failure__Output | null);
  'goodbye'?: (_thaw_v1_Goodbye__Output | null);
  'snapshotTaken'?: (_thaw_v1_SnapshotTaken__Output | null);
  'body'?: "hello"|"ready"|"heartbeat"|"ack"|"report"|"badSamples"|"failure"|"goodbye"|"snapshotTaken";
}
