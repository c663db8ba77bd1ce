// Messages of the control stream as they come out at the other end: through the real protobuf definitions, so that what a
// message loses or gains on the way, it does here too.

import type { CoordinatorMessage, CoordinatorMessage__Output } from '@thaw/proto/gen/thaw/v1/CoordinatorMessage.ts';
import type { TrainerMessage, TrainerMessage__Output } from '@thaw/proto/gen/thaw/v1/TrainerMessage.ts';
import { loadThawProto } from '@thaw/proto/load.ts';

const { Open } = loadThawProto().Session.service;

export function toCoordinator(message: TrainerMessage): TrainerMessage__Output {
  return Open.requestDeserialize(Open.requestSerialize(message));
}

export function toTrainer(message: CoordinatorMessage): CoordinatorMessage__Output {
  return Open.responseDeserialize(Open.responseSerialize(message));
}
