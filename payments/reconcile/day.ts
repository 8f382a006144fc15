import type { ClientBase, Pool } from 'pg';
import { request } from 'undici';
import { type PaymentProviderName, paymentProviders } from '../../kernel/contract/status.ts';
import { type Difference, type Movement, parseSettlement, reconcile } from './settlement.ts';

export interface DayResult {
  /** Movements that the providers settled on the day. */
  settled: number;
  differences: Difference[];
}

/** UTC day, as in 2026-01-31. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function dayBefore(day: string): string {
  return dayOf(new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000));
}

/**
 * Compares a UTC day of ours with the settlement files of the providers.
 * @param urls Base URL of each provider. @throws Error when a file can't be read
 */
export async function reconcileDay(
  database: ClientBase | Pool,
  urls: Readonly<Record<PaymentProviderName, string>>,
  day: string,
): Promise<DayResult> {
  const result: DayResult = { settled: 0, differences: [] };
  for (const provider of paymentProviders) {
    const theirs = await readSettlement(urls[provider], day);
    const theirsBefore = await readSettlement(urls[provider], dayBefore(day));
    const known = await readOwn(database, provider, dayBefore(day));
    const ours = known.filter((movement) => movement.day === day);
    result.settled += theirs.length;
    result.differences.push(...reconcile(provider, { theirs, theirsBefore, ours, known }));
  }
  return result;
}

async function readSettlement(url: string, day: string): Promise<Movement[]> {
  const response = await request(`${url.replace(/\/$/, '')}/settlements/${day}`, {
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.body.text();
  if (response.statusCode !== 200)
    throw new Error(`the provider answered ${response.statusCode} for the file of ${day}`);
  return parseSettlement(text);
}

interface OwnRow {
  type: Movement['type'];
  key: string;
  reference: string;
  amount_minor: string;
  currency: string;
  day: string;
}

/** Money that moved by our own record, from a day on. */
async function readOwn(
  database: ClientBase | Pool,
  provider: PaymentProviderName,
  since: string,
): Promise<(Movement & { day: string })[]> {
  const { rows } = await database.query<OwnRow>(
    `select case e.kind when 'completed' then 'capture' else 'refund' end as type,
       coalesce(e.data ->> 'refund_id', p.payment_id::text) as key,
       e.data ->> 'provider_reference' as reference,
       coalesce(e.data ->> 'amount_minor', p.amount_minor::text) as amount_minor,
       p.currency, to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD') as day
     from payment_events e
     join payments p using (payment_id)
     where e.kind in ('completed', 'refunded') and p.charged_by = $1 and e.created_at >= ($2 || 'T00:00:00Z')::timestamptz
     order by e.created_at, e.event_id`,
    [provider, since],
  );
  return rows.map(({ amount_minor, ...row }) => ({ ...row, amountMinor: BigInt(amount_minor) }));
}
