import type { PreparedRequest } from '../../../simulator/driver/connections.ts';
import { createRandom, createZipf } from '../../../simulator/workload/random.ts';
import { type TransferShape, transferAccounts } from '../../pgbench/transfers.ts';

/** Of Zipf's law; pgbench's scripts draw with the same. */
const exponent = 1.1;

export interface TransferSource {
  prepare(count: number): Promise<void>;
  next(): PreparedRequest;
}

/**
 * Transfers between the accounts that `prepareTransferAccounts` has made, each under a key of its own.
 * @param run Begins every key: the same keys twice would be answered and not applied.
 */
export function createTransferSource(options: { seed: number; run: string; shape: TransferShape }): TransferSource {
  const { seed, run, shape } = options;
  const random = createRandom(seed, shape === 'zipf' ? 1 : 0);
  const payee = createZipf(transferAccounts, shape === 'zipf' ? exponent : 0);
  let made = 0;
  let ready: PreparedRequest[] = [];
  let taken = 0;
  const make = (): PreparedRequest => {
    made += 1;
    const body = JSON.stringify({
      from_account_id: `w_${1 + random.below(transferAccounts)}`,
      to_account_id: `m_${1 + payee(random)}`,
      amount_minor: 1 + random.below(500),
      currency: 'EUR',
    });
    return {
      method: 'POST',
      path: '/api/v1/transfers',
      headers: ['content-type', 'application/json', 'idempotency-key', `${run}-${shape}-${made}`],
      body,
    };
  };
  return {
    // What a phase left over is sent by the next one.
    prepare: async (count) => {
      ready = ready.slice(taken);
      taken = 0;
      while (ready.length < count) ready.push(make());
    },
    next: () => {
      taken += 1;
      return ready[taken - 1] ?? make();
    },
  };
}
