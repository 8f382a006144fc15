import type { z } from 'zod';

/** What the API's description says of a provider's webhooks. */
export interface ProviderDocument {
  /** How the signature is made, for a caller who signs by hand. */
  signature: string;
  /** Headers that carry it, by their names; all of them are needed. None where the body carries it. */
  signatureHeaders: Readonly<Record<string, string>>;
  /** By path below /webhooks. */
  paths: Readonly<Record<string, PathDocument>>;
}

export interface PathDocument {
  /** What every body of the path looks like. What single types of events need besides, the provider's documentation tells. */
  body: z.ZodType;
  /** Bodies as the provider sends them, by a name; those that the body itself signs need a signature of the reader's own. */
  examples: Readonly<Record<string, { summary: string; value: unknown }>>;
}
