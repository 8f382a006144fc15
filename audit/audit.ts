import type { Client } from 'pg';
import { withClient } from '../kernel/postgres/with-client.ts';
import { type Capabilities, capabilities, type TopologyName } from '../kernel/topology.ts';
import { auditAnalytics } from './analytics.ts';
import { auditBookings, type ProviderFinding, readBookings } from './bookings.ts';
import { auditSql, type LoadedRecord, loadRecord } from './recorded.ts';

export interface AuditOptions {
  /** postgresql:// URL of a role that may read every table of the lab. */
  dsn: string;
  topology: TopologyName;
  /** What clients noted; without any, the checks that need them say so and count as passed. */
  recordFiles?: readonly string[];
  /** http://user:password@host:port/database of the analytics; without it there is no I6. */
  clickhouseUrl?: string | undefined;
  /** URL of the simulated provider, whose own books I4 is held against; without it I4 is about the database alone. */
  providerUrl?: string | undefined;
  /** How long events on their way to the analytics are waited for without any progress. */
  stallMs?: number;
}

export interface Invariant {
  id: 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I8' | 'state';
  title: string;
  /** How many things were looked at. */
  checked: number;
  violations: number;
  /** At most 20, each beginning with the id that breaks the invariant. */
  examples: string[];
  ok: boolean;
  /** What limits the meaning of this row; null where nothing does. */
  note: string | null;
}

export interface AuditResult {
  invariants: Invariant[];
  ok: boolean;
}

interface Check {
  invariant: Invariant['id'];
  sql: string;
  needsRecord?: boolean;
}

const titles: readonly { id: Invariant['id']; title: string }[] = [
  { id: 'I2', title: 'every acknowledged webhook is stored with its body' },
  { id: 'I3', title: 'exactly one effect per provider event' },
  { id: 'I4', title: 'captures stay within their order and agree with the provider’s books' },
  { id: 'I5', title: 'sequences are 1..n per aggregate, the outbox has each once' },
  { id: 'I8', title: 'no stale read with a consistency token' },
  { id: 'state', title: 'orders and disputes are what their newest events say' },
];

function checksFor(dedupe: Capabilities['dedupe']): Check[] {
  return [
    { invariant: 'I2', sql: 'i2_acknowledged_is_stored', needsRecord: true },
    { invariant: 'I3', sql: `i3_one_effect.${dedupe}` },
    { invariant: 'I3', sql: 'i3_acknowledged_has_effect', needsRecord: true },
    { invariant: 'I4', sql: 'i4_captures' },
    { invariant: 'I5', sql: 'i5_order_sequences' },
    { invariant: 'I5', sql: 'i5_dispute_sequences' },
    { invariant: 'I5', sql: 'i5_outbox_matches' },
    { invariant: 'state', sql: 'state_orders_follow_events' },
    { invariant: 'state', sql: 'state_disputes_follow_events' },
  ];
}

/**
 * Checks the invariants that a benchmark or a fault must not break. All checks see one snapshot, taken after the
 * record was read, so an audit under traffic reports nothing that is merely still under way.
 * @throws Error when the database can't be read or a record file is not one.
 */
export async function auditRun(options: AuditOptions): Promise<AuditResult> {
  // Under load a server may take its time to accept a connection.
  const settings = { application_name: 'lab-audit', connectionTimeoutMillis: 0 };
  return withClient(options.dsn, (client) => auditOn(client, options), settings);
}

async function auditOn(client: Client, options: AuditOptions): Promise<AuditResult> {
  // Whole tables are joined: in memory it takes a second, through temporary files ten.
  await client.query("set work_mem = '128MB'; set timezone = 'UTC'");
  const record = await loadRecord(client, options.recordFiles ?? []);
  const { providerUrl, clickhouseUrl } = options;
  const before = providerUrl === undefined ? undefined : await readBookings(providerUrl);
  await client.query('begin transaction isolation level repeatable read read only');
  const { invariants } = await runChecks(client, options.topology, record);
  if (providerUrl !== undefined && before) {
    const finding = await auditBookings(client, { before, after: await readBookings(providerUrl) });
    addFinding(invariants.find(({ id }) => id === 'I4')!, finding);
  }
  await client.query('commit');
  if (clickhouseUrl !== undefined) {
    const finding = await auditAnalytics(client, clickhouseUrl, options.stallMs);
    const title = 'analytics equal the source, roll-ups included';
    invariants.push({ id: 'I6', title, ...finding, ok: finding.violations === 0 });
    invariants.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
  return { invariants, ok: invariants.every(({ ok }) => ok) };
}

/** All checks on one connection, in the caller's transaction, after `loadRecord` on the same connection. */
export async function runChecks(client: Client, topology: TopologyName, record: LoadedRecord): Promise<AuditResult> {
  const found = new Map(titles.map(({ id, title }) => [id, emptyInvariant(id, title)]));
  for (const check of checksFor(capabilities(topology).dedupe)) {
    const invariant = found.get(check.invariant)!;
    if (check.needsRecord && record.acks === 0) {
      if (check.invariant === 'I2') invariant.note = 'no acknowledgements recorded';
      continue;
    }
    await runCheck(client, check, invariant);
  }
  judgeReads(record, found.get('I8')!);
  const invariants = [...found.values()].map((invariant) => ({ ...invariant, ok: invariant.violations === 0 }));
  return { invariants, ok: invariants.every((invariant) => invariant.ok) };
}

function emptyInvariant(id: Invariant['id'], title: string): Invariant {
  return { id, title, checked: 0, violations: 0, examples: [], ok: true, note: null };
}

async function runCheck(client: Client, check: Check, invariant: Invariant): Promise<void> {
  const result = await client.query<{ checked: string; violations: string; examples: string[] }>(
    await auditSql(check.sql),
  );
  const row = result.rows[0]!;
  invariant.checked += Number(row.checked);
  invariant.violations += Number(row.violations);
  invariant.examples.push(...row.examples.slice(0, 20 - invariant.examples.length));
}

function addFinding(invariant: Invariant, finding: ProviderFinding): void {
  invariant.violations += finding.violations;
  invariant.examples.push(...finding.examples.slice(0, 20 - invariant.examples.length));
  invariant.note = finding.note;
  invariant.ok = invariant.violations === 0;
}

function judgeReads(record: LoadedRecord, invariant: Invariant): void {
  invariant.checked = record.reads;
  invariant.violations = record.staleReadCount;
  invariant.examples = record.staleReads.map(
    (read) =>
      `${read.order_id}: read sequence ${read.seen_sequence} from ${read.node ?? 'an unknown node'}, ` +
      `own write was ${read.expected_sequence}`,
  );
  if (record.reads === 0) invariant.note = 'no reads recorded';
}
