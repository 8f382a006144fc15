import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { PaymentProviderName } from '../kernel/contract/status.ts';
import type { PaymentStore } from '../ledger/payments/store.ts';
import type { Backoff } from './backoff.ts';
import type { PaymentProvider } from './providers/provider.ts';

/** What the work on one command needs. */
export interface WorkDeps {
  store: PaymentStore;
  /** Of the primary. */
  pool: Pool;
  providers: Readonly<Record<PaymentProviderName, PaymentProvider>>;
  maxAttempts: number;
  backoff: Backoff;
  /** Pause between two questions to a provider that waits for its payer. */
  askMs: number;
  now: () => Date;
  random: () => number;
  logger: Logger;
  /** Told how the work on a command ended. */
  onEnd(operation: 'charge' | 'refund', end: string): void;
}
