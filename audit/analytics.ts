import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Client } from 'pg';
import { waitWhileShrinking } from '../kernel/wait.ts';
import { type Reconciliation, reconcile } from './reconcile/reconcile.ts';

/** How the audit sees I6; the shape of `Invariant` without what it adds itself. */
export interface AnalyticsFinding {
  checked: number;
  violations: number;
  examples: string[];
  note: string | null;
}

/** Pause between two looks at a pipeline that still delivers. */
const pauseMs = 250;

/**
 * I6: compares source and analytics, roll-ups included. Events that are still on their way are waited for as long as
 * the differences become fewer; `stallMs` without any progress, and what differs is a violation.
 */
export async function auditAnalytics(client: Client, url: string, stallMs = 5_000): Promise<AnalyticsFinding> {
  const analytics = createClient({ url, application: 'lab-audit', log: { level: ClickHouseLogLevel.OFF } });
  try {
    const look = async () => {
      const result = await reconcile(client, analytics, 20);
      return { left: result.differing, result };
    };
    const { result } = await waitWhileShrinking(look, { stallMs, intervalMs: pauseMs });
    return describe(result);
  } finally {
    await analytics.close();
  }
}

function describe({ checked, differing, differences, since }: Reconciliation): AnalyticsFinding {
  const { events, orders, disputes, accounts } = checked;
  return {
    checked: events + orders + disputes + accounts,
    violations: differing,
    examples: differences.slice(0, 20).map(({ what, kind, id, detail }) => `${id}: ${what} ${kind}, ${detail}`),
    note: events === 0 ? `no events since ${since}` : null,
  };
}
