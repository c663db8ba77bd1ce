import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BadSamples as _thaw_v1_BadSamples, BadSamples__Output as _thaw_v1_BadSamples__Output } from './thaw/v1/BadSamples.ts';
import type { BlockNorms as _thaw_v1_BlockNorms, BlockNorms__Output as _thaw_v1_BlockNorms__Output } from './thaw/v1/BlockNorms.ts';
import type { CoordinatorMessage as _thaw_v1_CoordinatorMessage, CoordinatorMessage__Output as _thaw_v1_CoordinatorMessage__Output } from './thaw/v1/CoordinatorMessage.ts';
import type { Directive as _thaw_v1_Directive, Directive__Output as _thaw_v1_Directive__Output } from './thaw/v1/Directive.ts';
import type { DirectiveAck as _thaw_v1_DirectiveAck, DirectiveAck__Output as _thaw_v1_DirectiveAck__Output } from './thaw/v1/DirectiveAck.ts';
import type { EngineClass as _thaw_v1_EngineClass, EngineClass__Output as _thaw_v1_EngineClass__Output } from './thaw/v1/EngineClass.ts';
import type { EpochSums as _thaw_v1_EpochSums, EpochSums__Output as _thaw_v1_EpochSums__Output } from './thaw/v1/EpochSums.ts';
import type { Evaluate as _thaw_v1_Evaluate, Evaluate__Output as _thaw_v1_Evaluate__Output } from './thaw/v1/Evaluate.ts';
import type { Evaluated as _thaw_v1_Evaluated, Evaluated__Output as _thaw_v1_Evaluated__Output } from './thaw/v1/Evaluated.ts';
import type { EvaluatedPart as _thaw_v1_EvaluatedPart, EvaluatedPart__Output as _thaw_v1_EvaluatedPart__Output } from './thaw/v1/EvaluatedPart.ts';
import type { Failure as _thaw_v1_Failure, Failure__Output as _thaw_v1_Failure__Output } from './thaw/v1/Failure.ts';
import type { FeatureChoice as _thaw_v1_FeatureChoice, FeatureChoice__Output as _thaw_v1_FeatureChoice__Output } from './thaw/v1/FeatureChoice.ts';
import type { FeatureWork as _thaw_v1_FeatureWork, FeatureWork__Output as _thaw_v1_FeatureWork__Output } from './thaw/v1/FeatureWork.ts';
import type { Finish as _thaw_v1_Finish, Finish__Output as _thaw_v1_Finish__Output } from './thaw/v1/Finish.ts';
import type { Finished as _thaw_v1_Finished, Finished__Output as _thaw_v1_Finished__Output } from './thaw/v1/Finished.ts';
import type { GenerationInfo as _thaw_v1_GenerationInfo, GenerationInfo__Output as _thaw_v1_GenerationInfo__Output } from './thaw/v1/GenerationInfo.ts';
import type { Goodbye as _thaw_v1_Goodbye, Goodbye__Output as _thaw_v1_Goodbye__Output } from './thaw/v1/Goodbye.ts';
import type { Halt as _thaw_v1_Halt, Halt__Output as _thaw_v1_Halt__Output } from './thaw/v1/Halt.ts';
import type { Halted as _thaw_v1_Halted, Halted__Output as _thaw_v1_Halted__Output } from './thaw/v1/Halted.ts';
import type { Heartbeat as _thaw_v1_Heartbeat, Heartbeat__Output as _thaw_v1_Heartbeat__Output } from './thaw/v1/Heartbeat.ts';
import type { Hello as _thaw_v1_Hello, Hello__Output as _thaw_v1_Hello__Output } from './thaw/v1/Hello.ts';
import type { MemberInfo as _thaw_v1_MemberInfo, MemberInfo__Output as _thaw_v1_MemberInfo__Output } from './thaw/v1/MemberInfo.ts';
import type { Mistake as _thaw_v1_Mistake, Mistake__Output as _thaw_v1_Mistake__Output } from './thaw/v1/Mistake.ts';
import type { Plan as _thaw_v1_Plan, Plan__Output as _thaw_v1_Plan__Output } from './thaw/v1/Plan.ts';
import type { RankBlocks as _thaw_v1_RankBlocks, RankBlocks__Output as _thaw_v1_RankBlocks__Output } from './thaw/v1/RankBlocks.ts';
import type { Ranked as _thaw_v1_Ranked, Ranked__Output as _thaw_v1_Ranked__Output } from './thaw/v1/Ranked.ts';
import type { Ready as _thaw_v1_Ready, Ready__Output as _thaw_v1_Ready__Output } from './thaw/v1/Ready.ts';
import type { Refusal as _thaw_v1_Refusal, Refusal__Output as _thaw_v1_Refusal__Output } from './thaw/v1/Refusal.ts';
import type { Report as _thaw_v1_Report, Report__Output as _thaw_v1_Report__Output } from './thaw/v1/Report.ts';
import type { SessionClient as _thaw_v1_SessionClient, SessionDefinition as _thaw_v1_SessionDefinition } from './thaw/v1/Session.ts';
import type { SnapshotTaken as _thaw_v1_SnapshotTaken, SnapshotTaken__Output as _thaw_v1_SnapshotTaken__Output } from './thaw/v1/SnapshotTaken.ts';
import type { SparseCounts as _thaw_v1_SparseCounts, SparseCounts__Output as _thaw_v1_SparseCounts__Output } from './thaw/v1/SparseCounts.ts';
import type { StepSeconds as _thaw_v1_StepSeconds, StepSeconds__Output as _thaw_v1_StepSeconds__Output } from './thaw/v1/StepSeconds.ts';
import type { StoreState as _thaw_v1_StoreState, StoreState__Output as _thaw_v1_StoreState__Output } from './thaw/v1/StoreState.ts';
import type { Stored as _thaw_v1_Stored, Stored__Output as _thaw_v1_Stored__Output } from './thaw/v1/Stored.ts';
import type { TakeSnapshot as _thaw_v1_TakeSnapshot, TakeSnapshot__Output as _thaw_v1_TakeSnapshot__Output } from './thaw/v1/TakeSnapshot.ts';
import type { Train as _thaw_v1_Train, Train__Output as _thaw_v1_Train__Output } from './thaw/v1/Train.ts';
import type { Trained as _thaw_v1_Trained, Trained__Output as _thaw_v1_Trained__Output } from './thaw/v1/Trained.ts';
import type { TrainerMessage as _thaw_v1_TrainerMessage, TrainerMessage__Output as _thaw_v1_TrainerMessage__Output } from './thaw/v1/TrainerMessage.ts';
import type { Wait as _thaw_v1_Wait, Wait__Output as _thaw_v1_Wait__Output } from './thaw/v1/Wait.ts';
import type { Welcome as _thaw_v1_Welcome, Welcome__Output as _thaw_v1_Welcome__Output } from './thaw/v1/Welcome.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  thaw: {
    v1: {
      BadSamples: MessageTypeDefinition<_thaw_v1_BadSamples, _thaw_v1_BadSamples__Output>
      BlockNorms: MessageTypeDefinition<_thaw_v1_BlockNorms, _thaw_v1_BlockNorms__Output>
      CoordinatorMessage: MessageTypeDefinition<_thaw_v1_CoordinatorMessage, _thaw_v1_CoordinatorMessage__Output>
      Directive: MessageTypeDefinition<_thaw_v1_Directive, _thaw_v1_Directive__Output>
      DirectiveAck: MessageTypeDefinition<_thaw_v1_DirectiveAck, _thaw_v1_DirectiveAck__Output>
      EngineClass: MessageTypeDefinition<_thaw_v1_EngineClass, _thaw_v1_EngineClass__Output>
      EpochSums: MessageTypeDefinition<_thaw_v1_EpochSums, _thaw_v1_EpochSums__Output>
      Evaluate: MessageTypeDefinition<_thaw_v1_Evaluate, _thaw_v1_Evaluate__Output>
      Evaluated: MessageTypeDefinition<_thaw_v1_Evaluated, _thaw_v1_Evaluated__Output>
      EvaluatedPart: MessageTypeDefinition<_thaw_v1_EvaluatedPart, _thaw_v1_EvaluatedPart__Output>
      Failure: MessageTypeDefinition<_thaw_v1_Failure, _thaw_v1_Failure__Output>
      FeatureChoice: MessageTypeDefinition<_thaw_v1_FeatureChoice, _thaw_v1_FeatureChoice__Output>
      FeatureWork: MessageTypeDefinition<_thaw_v1_FeatureWork, _thaw_v1_FeatureWork__Output>
      Finish: MessageTypeDefinition<_thaw_v1_Finish, _thaw_v1_Finish__Output>
      Finished: MessageTypeDefinition<_thaw_v1_Finished, _thaw_v1_Finished__Output>
      GenerationInfo: MessageTypeDefinition<_thaw_v1_GenerationInfo, _thaw_v1_GenerationInfo__Output>
      Goodbye: MessageTypeDefinition<_thaw_v1_Goodbye, _thaw_v1_Goodbye__Output>
      Halt: MessageTypeDefinition<_thaw_v1_Halt, _thaw_v1_Halt__Output>
      Halted: MessageTypeDefinition<_thaw_v1_Halted, _thaw_v1_Halted__Output>
      Heartbeat: MessageTypeDefinition<_thaw_v1_Heartbeat, _thaw_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_thaw_v1_Hello, _thaw_v1_Hello__Output>
      MemberInfo: MessageTypeDefinition<_thaw_v1_MemberInfo, _thaw_v1_MemberInfo__Output>
      Mistake: MessageTypeDefinition<_thaw_v1_Mistake, _thaw_v1_Mistake__Output>
      Plan: MessageTypeDefinition<_thaw_v1_Plan, _thaw_v1_Plan__Output>
      RankBlocks: MessageTypeDefinition<_thaw_v1_RankBlocks, _thaw_v1_RankBlocks__Output>
      Ranked: MessageTypeDefinition<_thaw_v1_Ranked, _thaw_v1_Ranked__Output>
      Ready: MessageTypeDefinition<_thaw_v1_Ready, _thaw_v1_Ready__Output>
      Refusal: MessageTypeDefinition<_thaw_v1_Refusal, _thaw_v1_Refusal__Output>
      Report: MessageTypeDefinition<_thaw_v1_Report, _thaw_v1_Report__Output>
      Session: SubtypeConstructor<typeof grpc.Client, _thaw_v1_SessionClient> & { service: _thaw_v1_SessionDefinition }
      SnapshotTaken: MessageTypeDefinition<_thaw_v1_SnapshotTaken, _thaw_v1_SnapshotTaken__Output>
      SparseCounts: MessageTypeDefinition<_thaw_v1_SparseCounts, _thaw_v1_SparseCounts__Output>
      StepSeconds: MessageTypeDefinition<_thaw_v1_StepSeconds, _thaw_v1_StepSeconds__Output>
      StoreState: MessageTypeDefinition<_thaw_v1_StoreState, _thaw_v1_StoreState__Output>
      Stored: MessageTypeDefinition<_thaw_v1_Stored, _thaw_v1_Stored__Output>
      TakeSnapshot: MessageTypeDefinition<_thaw_v1_TakeSnapshot, _thaw_v1_TakeSnapshot__Output>
      Train: MessageTypeDefinition<_thaw_v1_Train, _thaw_v1_Train__Output>
      Trained: MessageTypeDefinition<_thaw_v1_Trained, _thaw_v1_Trained__Output>
      TrainerMessage: MessageTypeDefinition<_thaw_v1_TrainerMessage, _thaw_v1_TrainerMessage__Output>
      Wait: MessageTypeDefinition<_thaw_v1_Wait, _thaw_v1_Wait__Output>
      Welcome: MessageTypeDefinition<_thaw_v1_Welcome, _thaw_v1_Welcome__Output>
    }
  }
}

