// NATS subjects of one generation. The uid names the job, never its name: two jobs of one name must not meet.

import { ThawError } from '@thaw/common/errors/thaw-error.ts';

export interface GenerationSubjects {
  /** Announcements and sums, for every member. */
  readonly everyone: string;
  /** Parts, NACKs and their answers, for one member. */
  member(index: number): string;
}

export function generationSubjects(uid: string, generation: number): GenerationSubjects {
  if (!/^[A-Za-z0-9_-]+$/.test(uid)) {
    throw new ThawError(
      'ProtocolViolation',
      `the job uid "${uid}" cannot stand in a subject: letters, digits, _ and -`,
    );
  }
  const prefix = `thaw.${uid}.${generation}`;
  return { everyone: `${prefix}.all`, member: (index) => `${prefix}.to.${index}` };
}
