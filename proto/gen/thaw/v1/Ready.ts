// Original file: thaw/v1/session.proto

import type { EngineClass as _thaw_v1_EngineClass, EngineClass__Output as _thaw_v1_EngineClass__Output } from '../../thaw/v1/EngineClass.ts';

export interface Ready {
  'engineClass'?: (_thaw_v1_EngineClass | null);
  'probeDigest'?: (string);
  'metricsPort'?: (number);
  'stageProbeDigests'?: (string)[];
}

export interface Ready__Output {
  'engineClass': (_thaw_v1_EngineClass__Output | null);
  'probeDigest': (string);
  'metricsPort': (number);
  'stageProbeDigests': (string)[];
}
