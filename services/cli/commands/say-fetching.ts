// What a command says while it waits for the network: a line, also where nobody watches, because it may wait for minutes.

import type { Fetching } from '@thaw/coordinator/prepare/fetching.ts';
import type { World } from '../world.ts';

export function sayFetching({ stderr }: Pick<World, 'stderr'>): Fetching {
  return (what) => void stderr.write(`fetching ${what}\n`);
}
