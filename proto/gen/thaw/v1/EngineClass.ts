// Original file: thaw/v1/session.proto


export interface EngineClass {
  'engine'?: (string);
  'version'?: (string);
  'device'?: (string);
  'cpuFeatures'?: (string);
  'threads'?: (number);
}

export interface EngineClass__Output {
  'engine': (string);
  'version': (string);
  'device': (string);
  'cpuFeatures': (string);
  'threads': (number);
}
