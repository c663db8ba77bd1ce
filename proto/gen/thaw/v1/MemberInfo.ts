// Original file: thaw/v1/session.proto


export interface MemberInfo {
  'incarnation'?: (string);
  'name'?: (string);
}

export interface MemberInfo__Output {
  'incarnation': (string);
  'name': (string);
}
