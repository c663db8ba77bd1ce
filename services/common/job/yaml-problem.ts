// What is wrong with a text as YAML, in the words of those who write it: the library names its grammar, a user has typed
// a space too many or left out a colon.

import type { Document, YAMLError } from 'yaml';

type Wrong = Pick<YAMLError, 'code' | 'message' | 'pos'>;

export interface YamlProblem {
  /** Characters from the start of the text. */
  readonly offset: number;
  readonly message: string;
}

/** The first one: what the library says after a slip is mostly what follows from it. */
export function yamlProblem({ errors, warnings }: Pick<Document, 'errors' | 'warnings'>): YamlProblem | null {
  const [first] = [...errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  return first ? { offset: first.pos[0], message: sentenceOf(first) } : null;
}

function sentenceOf({ code, message }: Wrong): string {
  switch (code) {
    case 'BAD_INDENT': {
      const closing = /end with a ([\]}])$/.exec(message)?.[1];
      return closing
        ? `found no closing "${closing}"; expected it before this line`
        : 'found another indentation than the lines above have; expected the keys of one object in one column';
    }
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'found a "key:" inside of a value; expected one "key: value" a line, with the indentation of its neighbours, and quotes around a text with a colon';
    case 'MULTILINE_IMPLICIT_KEY':
      return 'found no ":" with a space after it; expected "key: value"';
    case 'TAB_AS_INDENT':
      return 'found a tab; expected spaces as indentation';
    case 'DUPLICATE_KEY':
      return 'found a key a second time; expected every key once';
    case 'BAD_SCALAR_START':
      return `found a text that starts with "${message.slice(-1)}"; expected quotes around it`;
    default:
      return message;
  }
}
