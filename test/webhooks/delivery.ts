import { operatorToken } from '../../runtime/access-token.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { createDelivery, type DeliveryOptions, type DeliveryTotals } from '../../simulator/delivery/delivery.ts';
import { createSigners } from '../../simulator/delivery/sign.ts';
import { openRecord } from '../../simulator/record/record.ts';
import { createRandom } from '../../simulator/workload/random.ts';
import { createWorkload, type WorkloadOptions } from '../../simulator/workload/workload.ts';

export interface DeliveryGiven extends Pick<DeliveryOptions, 'url' | 'count' | 'concurrency'> {
  secrets: SystemDescription['secrets'];
  /** Where acknowledgements are written, each before it counts. */
  recordFile: string;
  seed: number;
  /** Begins every id. */
  run: string;
  /** Where it differs from three providers with some duplicates and late events. */
  workload?: Partial<WorkloadOptions>;
  /** Where it differs from the usual. */
  more?: Partial<Pick<DeliveryOptions, 'rate' | 'readShare' | 'timeoutMs' | 'giveUpAfterMs' | 'signal'>>;
}

/** The simulated provider's deliveries to a real system, with a record of their own for the audit. */
export async function openDelivery(given: DeliveryGiven): Promise<{ totals: DeliveryTotals; run(): Promise<void> }> {
  const { url, count, concurrency, secrets, recordFile, seed, run } = given;
  const record = await openRecord(recordFile);
  const delivery = createDelivery({
    url,
    count,
    concurrency,
    record,
    signers: createSigners(secrets),
    random: createRandom(seed, 2),
    workload: createWorkload({
      seed,
      run,
      startTimeMs: Date.now(),
      spacing: 128,
      duplicates: 0.05,
      late: 0.03,
      providers: { silvergate: 2, stripe: 1, adyen: 1 },
      ...given.workload,
    }),
    readShare: 0.1,
    token: await operatorToken({ secrets }),
    timeoutMs: 5_000,
    giveUpAfterMs: 60_000,
    now: () => new Date(),
    clock: () => performance.now(),
    ...given.more,
  });
  return { totals: delivery.totals, run: () => delivery.run().finally(() => record.close()) };
}
