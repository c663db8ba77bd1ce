// What a trainer is told when it is let in: who the job is, where gradients go, and which artifacts to fetch.

import type { Welcome } from '@thaw/proto/gen/thaw/v1/Welcome.ts';
import type { JobState } from './state.ts';

export function welcomeMessage({ uid, term, runToken, plan }: JobState, natsUrl: string): Welcome {
  const { artifacts } = plan;
  return {
    uid,
    term,
    runToken,
    natsUrl,
    jobDigest: artifacts.job,
    graphDigest: artifacts.graph,
    oldGraphDigest: artifacts.oldGraph ?? '',
    manifestDigest: artifacts.manifest,
    weightsDigests: [...artifacts.weights],
    dataRoot: artifacts.dataRoot,
  };
}
