// Original file: thaw/v1/session.proto


export interface StoreState {
  'member'?: (number);
  'scheduleState'?: (string);
}

export interface StoreState__Output {
  'member': (number);
  'scheduleState': (string);
}
