// Original file: thaw/v1/jobs.proto

import type { Long } from '@grpc/proto-loader';

export interface JobProgress {
  'stage'?: (number);
  'stages'?: (number);
  'stageName'?: (string);
  'epochInStage'?: (number);
  'epochsInStage'?: (number);
  'step'?: (number | string | Long);
  'stepInEpoch'?: (number | string | Long);
  'stepsInEpoch'?: (number | string | Long);
  'phase'?: (string);
  'phaseDone'?: (number | string | Long);
  'phaseTotal'?: (number | string | Long);
  'loss'?: (number | string);
  'accuracy'?: (number | string);
  'validationLoss'?: (number | string);
  'validationAccuracy'?: (number | string);
  'hasValidation'?: (boolean);
  'learningRate'?: (number | string);
  'samplesPerSecond'?: (number | string);
  'remainingSeconds'?: (number | string);
  'ratio'?: (number | string);
}

export interface JobProgress__Output {
  'stage': (number);
  'stages': (number);
  'stageName': (string);
  'epochInStage': (number);
  'epochsInStage': (number);
  'step': (number);
  'stepInEpoch': (number);
  'stepsInEpoch': (number);
  'phase': (string);
  'phaseDone': (number);
  'phaseTotal': (number);
  'loss': (number);
  'accuracy': (number);
  'validationLoss': (number);
  'validationAccuracy': (number);
  'hasValidation': (boolean);
  'learningRate': (number);
  'samplesPerSecond': (number);
  'remainingSeconds': (number);
  'ratio': (number);
}
