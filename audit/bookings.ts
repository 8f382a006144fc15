import type { Client } from 'pg';
import type { LedgerEntry } from '../simulator/provider/ledger.ts';

/** How the audit sees I4; the shape of `Invariant` without what it adds itself. */
export interface ProviderFinding {
  checked: number;
  violations: number;
  examples: string[];
  note: string | null;
}

type Booking = Extract<LedgerEntry, { type: 'capture' }>;

interface CaptureRow {
  capture_id: string;
  order_id: string;
  amount_minor: string;
  currency: string;
  status: 'requested' | 'completed' | 'failed';
  provider_reference: string | null;
}

/** The captures in the provider's own books. @param url of the simulated provider @throws Error when it cannot be read. */
export async function readBookings(url: string): Promise<Booking[]> {
  const response = await fetch(new URL('/ledger', url), { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`the provider answered ${response.status} when asked for its ledger`);
  const entries = (await response.text()).split('\n').filter(Boolean);
  return entries.map((line): LedgerEntry => JSON.parse(line)).filter((entry) => entry.type === 'capture');
}

/**
 * I4: the provider booked at most one capture per intent, as the intent says, and what the lab tells of an outcome is
 * what the provider tells. The books only grow: those of before the database was read must all be known in it, and what
 * it holds must be in those of after. A capture in `requested` may be in the books or not yet.
 */
export async function auditBookings(
  client: Client,
  { before, after }: { before: readonly Booking[]; after: readonly Booking[] },
): Promise<ProviderFinding> {
  const { rows } = await client.query<CaptureRow>(
    'select capture_id, order_id, amount_minor::text, currency, status, provider_reference from captures',
  );
  const captures = new Map(rows.map((row) => [row.capture_id, row]));
  const booked = Map.groupBy(after, (entry) => entry.idempotency_key);
  const problems: string[] = [];
  for (const entry of before) {
    const known = captures.get(entry.idempotency_key);
    if (!known)
      problems.push(`${entry.idempotency_key}: ${sum(entry)} ${entry.status} at the provider, and unknown here`);
  }
  for (const row of rows) {
    const problem = problemOf(row, booked.get(row.capture_id) ?? []);
    if (problem) problems.push(`${row.capture_id}: ${problem}`);
  }
  const note = rows.length === 0 && before.length === 0 ? 'no captures' : null;
  return { checked: rows.length, violations: problems.length, examples: problems.sort().slice(0, 20), note };
}

function problemOf(row: CaptureRow, entries: readonly Booking[]): string | undefined {
  if (entries.length > 1) return `booked ${entries.length} times by the provider`;
  const [entry] = entries;
  if (!entry) return row.status === 'completed' ? `${sum(row)} completed, and not in the provider's books` : undefined;
  if (sum(entry) !== sum(row)) return `${sum(row)}, but ${sum(entry)} at the provider`;
  if (row.status === 'requested') return undefined;
  const told = entry.status === 'completed' ? 'completed' : 'failed';
  if (row.status !== told) return `${row.status}, but ${entry.status} at the provider`;
  return row.provider_reference === entry.capture_id
    ? undefined
    : `not under the provider's reference ${entry.capture_id}`;
}

function sum(capture: { order_id: string; amount_minor: string; currency: string }): string {
  return `${capture.amount_minor} ${capture.currency} of ${capture.order_id}`;
}
