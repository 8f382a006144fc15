import type { Cursors } from '../../kernel/http/cursor.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { PaymentStore } from '../../ledger/payments/store.ts';
import type { AccountDeps } from './accounts.ts';

/** What the endpoints of the ledger need. */
export interface LedgerDeps extends AccountDeps {
  ledger: Ledger;
  payments: PaymentStore;
  reads: ReadRouter;
  cursors: Cursors;
}
