import type { IncomingHttpHeaders } from 'node:http';
import type { ContractEvent } from '../contract/webhooks.ts';

/**
 * One webhook scheme. A provider is one file that exports one of these, and one line in `index.ts`.
 * Both functions are pure: no clock, no environment, no I/O.
 */
export interface Provider {
  /** Lower-case name, stored with every delivery. */
  readonly name: string;
  /** Path below /webhooks → how its body is mapped. One provider may own several paths. */
  readonly paths: Readonly<Record<string, WebhookMapper>>;
  /** Whether the body was signed by one of `secrets` within the scheme's time tolerance. Constant-time compare. */
  verify(input: SignedRequest): boolean;
  /** Refuses, with the reason, secrets that the scheme could not have issued. Called at start-up. */
  checkSecret(secret: string): string | undefined;
  /** The text that the provider wants to read in a 2xx answer, where it cares; the JSON envelope otherwise. */
  readonly acceptedText?: string;
}

export interface SignedRequest {
  rawBody: Buffer;
  headers: IncomingHttpHeaders;
  /** Active secrets, the newest first. */
  secrets: readonly string[];
  now: Date;
}

/** Maps a parsed JSON body to 1..n events. @throws ZodError that names the wrong fields. */
export type WebhookMapper = (body: unknown, merchant?: MerchantSettings) => ContractEvent[];

/** What a provider does by the merchant's own settings there, and no webhook says. */
export interface MerchantSettings {
  /** Accounts at Adyen whose payments are captured without a request, so that no CAPTURE follows. */
  adyenAutomaticCapture: readonly string[];
}
