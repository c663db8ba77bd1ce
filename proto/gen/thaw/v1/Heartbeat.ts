// Original file: thaw/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface Heartbeat {
  'generation'?: (number | string | Long);
  'step'?: (number | string | Long);
  'phase'?: (string);
  'ticks'?: (number | string | Long);
  'waitingFor'?: (string);
  'loss'?: (number | string);
  'accuracy'?: (number | string);
  'learningRate'?: (number | string);
  'gradientNorm'?: (number | string);
  'samplesPerSecond'?: (number | string);
  'stepSeconds'?: (number | string);
  'done'?: (number | string | Long);
  'total'?: (number | string | Long);
}

export interface Heartbeat__Output {
  'generation': (number);
  'step': (number);
  'phase': (string);
  'ticks': (number);
  'waitingFor': (string);
  'loss': (number);
  'accuracy': (number);
  'learningRate': (number);
  'gradientNorm': (number);
  'samplesPerSecond': (number);
  'stepSeconds': (number);
  'done': (number);
  'total': (number);
}
