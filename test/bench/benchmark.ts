// What every benchmark takes: sizes that its own defaults stand in for.

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
