// What every benchmark takes: sizes that its own defaults stand in for, and which of its cases these choose.

export interface BenchmarkOptions {
  /** Pictures to train on. */
  readonly images?: number | undefined;
  /** Heights and widths of pictures. */
  readonly sizes?: readonly number[] | undefined;
  readonly networks?: readonly string[] | undefined;
  /** Of the first stage; later ones have half. */
  readonly epochs?: number | undefined;
  readonly steps?: number | undefined;
  /** DataLoader processes of each PyTorch process. */
  readonly workers?: number | undefined;
  readonly members?: readonly number[] | undefined;
  readonly megabytes?: readonly number[] | undefined;
  readonly seconds?: number | undefined;
  readonly passes?: number | undefined;
}

export type Print = (line: string) => void;

/** Those with a network and a size that were asked for. Throws when there is none, with what there is. */
export function chosenCases<Case extends { readonly network: string; readonly size: number }>(
  cases: readonly Case[],
  { networks, sizes }: BenchmarkOptions,
): readonly Case[] {
  const chosen = cases.filter(
    ({ network, size }) => (networks?.includes(network) ?? true) && (sizes?.includes(size) ?? true),
  );
  if (chosen.length > 0) return chosen;
  const found = [...(networks ?? []), ...(sizes ?? [])].join(', ');
  const known = cases.map(({ network, size }) => `${network} at ${size}`).join(', ');
  throw new Error(`no case for ${found}; expected some of: ${known}`);
}
