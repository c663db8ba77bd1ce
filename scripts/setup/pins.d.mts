// Types of pins.mjs, for the TypeScript that imports it.

export const tensorflow: {
  readonly package: string;
  readonly version: string;
  readonly wheels: Readonly<Record<string, { readonly libraryBytes: Readonly<Record<string, number>> }>>;
};
export const natsServer: { readonly version: string; readonly oldest: readonly [number, number] };
