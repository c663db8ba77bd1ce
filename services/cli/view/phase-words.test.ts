import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { JobStatus } from '@thaw/proto/gen/thaw/v1/JobStatus.ts';
import { phaseWords } from './phase-words.ts';
import { overTheWire } from './testing/played-run.ts';

const training = (phase: string, phaseDone = 0, phaseTotal = 0): JobStatus => ({
  state: 'Training',
  reason: 'stage "head", epoch 1 of at most 5',
  progress: { phase, phaseDone, phaseTotal },
});
const evaluating = (reason: string, phase: string): JobStatus => ({
  state: 'Evaluating',
  reason,
  progress: { phase, phaseDone: 3, phaseTotal: 9 },
});

const cases: readonly (readonly [JobStatus, string])[] = [
  [{ state: 'Preparing' }, 'preparing'],
  [{ state: 'Gathering', reason: '1 of 2 trainers ready' }, 'gathering trainers: 1 of 2 trainers ready'],
  [training('features', 320, 2400), 'computing features 320/2400'],
  // One trainer counts on in another phase than the slowest one, whose total it is.
  [training('features', 2600, 2400), 'computing features 2400/2400'],
  [training('features'), 'computing features'],
  [training('compute', 16), 'training'],
  [training('exchange'), 'training'],
  [training('loading'), 'loading'],
  [training(''), 'training'],
  [evaluating('validating', 'evaluate'), 'validating 3/9'],
  [evaluating('validating', 'features'), 'computing features 3/9'],
  [evaluating('testing the chosen weights', 'evaluate'), 'testing the chosen weights 3/9'],
  [{ state: 'Storing', reason: 'a new best epoch' }, 'storing: a new best epoch'],
  [{ state: 'Exporting', reason: 'writing the model and the report' }, 'exporting: writing the model and the report'],
  [{ state: 'Failed', reason: 'TrainerLost' }, 'failed'],
];

for (const [status, words] of cases) {
  it(`says "${words}" while ${status.state} (${status.progress?.phase ?? 'no progress'})`, () => {
    const received = overTheWire({ status }).status;
    assert.ok(received);
    assert.equal(phaseWords(received), words);
  });
}
