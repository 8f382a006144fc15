import type { Client } from 'pg';
import { withClient } from '../kernel/postgres/with-client.ts';
import { type Capabilities, capabilities, type TopologyName } from '../kernel/topology.ts';
import { auditAnalytics } from './analytics.ts';
import { auditBookings, type ProviderFinding, readBookings } from './bookings.ts';
import { checkAgainstModel } from './model/check.ts';
import { auditNotifications } from './notifications.ts';
import { auditPayments, checkPayments, readMovements } from './payments.ts';
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
  /** Whether a process notifies of this database's events. */
  notifies?: boolean;
  /** How long events on their way to the analytics, or to notifications, are waited for without any progress. */
  stallMs?: number;
  /** How long one statement may take; what takes longer could not be checked. Five minutes unless told otherwise. */
  statementTimeoutMs?: number;
  /** Whether orders and disputes are also derived from the bodies of all deliveries: some seconds per 100,000. */
  deep?: boolean;
  /** For `deep`: accounts at Adyen that capture without a request. */
  automaticCapture?: readonly string[];
}

export interface Invariant {
  id: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I8' | 'model' | 'notified' | 'state';
  title: string;
  /** How many things were looked at. */
  checked: number;
  violations: number;
  /** At most 20, each beginning with the id that breaks the invariant. */
  examples: string[];
  /** It holds, and all of it could be checked; `note` says what could not. */
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
  { id: 'I1', title: 'transfers are zero in sum, and balances, sequences and hashes follow from postings' },
  { id: 'I2', title: 'every acknowledged webhook is stored with its body' },
  { id: 'I3', title: 'exactly one effect per provider event and idempotency key' },
  { id: 'I4', title: 'captures and payments agree with the providers’ books, and none is taken twice' },
  { id: 'I5', title: 'sequences are 1..n per aggregate, the outbox has each once' },
  { id: 'I8', title: 'no stale read with a consistency token' },
  { id: 'state', title: 'orders, disputes, payments, users and sessions are what their events say, and none is stuck' },
];

function checksFor(dedupe: Capabilities['dedupe']): Check[] {
  return [
    { invariant: 'I1', sql: 'i1_transfers' },
    { invariant: 'I1', sql: 'i1_accounts' },
    { invariant: 'I1', sql: 'i1_chains' },
    { invariant: 'I2', sql: 'i2_acknowledged_is_stored', needsRecord: true },
    { invariant: 'I3', sql: `i3_one_effect.${dedupe}` },
    { invariant: 'I3', sql: 'i3_acknowledged_has_effect', needsRecord: true },
    { invariant: 'I3', sql: 'i3_keys' },
    { invariant: 'I4', sql: 'i4_captures' },
    { invariant: 'I5', sql: 'i5_order_sequences' },
    { invariant: 'I5', sql: 'i5_dispute_sequences' },
    { invariant: 'I5', sql: 'i5_outbox_matches' },
    { invariant: 'I5', sql: 'i5_ledger_outbox' },
    { invariant: 'state', sql: 'state_orders_follow_events' },
    { invariant: 'state', sql: 'state_disputes_follow_events' },
    { invariant: 'state', sql: 'state_sessions' },
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
  const timeoutMs = options.statementTimeoutMs ?? 300_000;
  // Whole tables are joined: in memory it takes a second, through temporary files ten. The temporary table of the record
  // is a commit, and no commit of the audit has to be on a replica: with one that is gone it would wait for ever.
  await client.query(
    `set work_mem = '128MB'; set timezone = 'UTC'; set synchronous_commit = local; set statement_timeout = ${timeoutMs}`,
  );
  const record = await loadRecord(client, options.recordFiles ?? []);
  const { providerUrl, clickhouseUrl } = options;
  const before = providerUrl === undefined ? undefined : await attempt(readBooks(providerUrl));
  await client.query('begin transaction isolation level repeatable read read only');
  const { invariants } = await runChecks(client, options.topology, record);
  addFinding(invariants.find(({ id }) => id === 'state')!, 'payments', await attempt(checkPayments(client)));
  if (providerUrl !== undefined && before) {
    const finding = await attempt(booksFinding(client, providerUrl, before));
    addFinding(invariants.find(({ id }) => id === 'I4')!, 'the provider’s books', finding);
  }
  if (options.deep) invariants.push(await deepInvariant(client, options.automaticCapture ?? []));
  if (options.notifies) invariants.push(await notifiedInvariant(client, options));
  await client.query('commit');
  if (clickhouseUrl !== undefined) {
    const invariant = emptyInvariant('I6', 'analytics equal the source, roll-ups included');
    const finding = await attempt(auditAnalytics(client, clickhouseUrl, options.stallMs));
    if ('failure' in finding) noteUnchecked(invariant, `ClickHouse: ${finding.failure}`);
    else Object.assign(invariant, finding.value, { ok: finding.value.violations === 0 });
    invariants.push(invariant);
    invariants.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
  return { invariants, ok: invariants.every(({ ok }) => ok) };
}

async function notifiedInvariant(client: Client, { dsn, stallMs }: AuditOptions): Promise<Invariant> {
  const invariant = emptyInvariant('notified', 'one notification for each fact, channel and recipient that wants it');
  const settings = { application_name: 'lab-audit', connectionTimeoutMillis: 0 };
  const finding = await attempt(withClient(dsn, (fresh) => auditNotifications(client, fresh, stallMs), settings));
  if ('failure' in finding) noteUnchecked(invariant, finding.failure);
  else Object.assign(invariant, finding.value, { ok: finding.value.violations === 0 });
  return invariant;
}

const deepChecks = ['deep_attempts', 'deep_deliveries', 'deep_events_belong', 'deep_outbox_copies'];

/** In the caller's transaction: what the model makes of the deliveries, then what rows say of each other. */
export async function deepInvariant(client: Client, automaticCapture: readonly string[]): Promise<Invariant> {
  const invariant = emptyInvariant('model', 'orders and disputes are what a model makes of the deliveries');
  const finding = await attempt(checkAgainstModel(client, automaticCapture));
  if ('failure' in finding) {
    noteUnchecked(invariant, finding.failure);
    return invariant;
  }
  Object.assign(invariant, finding.value);
  for (const sql of deepChecks) {
    const failed = await attempt(runCheck(client, { invariant: 'model', sql }, invariant));
    if ('failure' in failed) {
      noteUnchecked(invariant, `${sql}: ${failed.failure}`);
      return invariant;
    }
  }
  invariant.ok = invariant.violations === 0;
  return invariant;
}

type Attempt<T> = { value: T } | { failure: string };

/** A part that does not answer ends one check and not the audit. */
function attempt<T>(work: Promise<T>): Promise<Attempt<T>> {
  return work.then(
    (value) => ({ value }),
    (error) => ({ failure: reasonOf(error) }),
  );
}

function reasonOf(error: unknown): string {
  const { message, code, cause } = error as Error & { code?: string; cause?: { message?: string; code?: string } };
  if (code === statementTimedOut) return 'a statement took longer than the statement time-out';
  return cause?.message || cause?.code || message || code || String(error);
}

/** SQLSTATE `query_canceled`. */
const statementTimedOut = '57014';

interface Books {
  captures: Awaited<ReturnType<typeof readBookings>>;
  movements: Awaited<ReturnType<typeof readMovements>>;
}

async function readBooks(providerUrl: string): Promise<Books> {
  return { captures: await readBookings(providerUrl), movements: await readMovements(providerUrl) };
}

/** Captures of orders, and payments. */
async function booksFinding(client: Client, providerUrl: string, before: Attempt<Books>): Promise<ProviderFinding> {
  if ('failure' in before) throw new Error(before.failure);
  const after = await readBooks(providerUrl);
  const captures = await auditBookings(client, { before: before.value.captures, after: after.captures });
  const payments = await auditPayments(client, { before: before.value.movements, after: after.movements });
  return {
    // The captures were counted with the lab's own half.
    checked: payments.checked,
    violations: captures.violations + payments.violations,
    examples: [...captures.examples, ...payments.examples],
    note: payments.checked === 0 ? captures.note : null,
  };
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
    await client.query('savepoint one_check');
    const checked = await attempt(runCheck(client, check, invariant));
    if (!('failure' in checked)) continue;
    // A connection that is lost fails here, and with it the audit.
    await client.query('rollback to savepoint one_check');
    noteUnchecked(invariant, `${check.sql}: ${checked.failure}`);
  }
  judgeReads(record, found.get('I8')!);
  judgeRecords(record, found.get('I2')!);
  const invariants = [...found.values()].map((invariant) => {
    return { ...invariant, ok: invariant.ok && invariant.violations === 0 };
  });
  return { invariants, ok: invariants.every((invariant) => invariant.ok) };
}

/** Not clean, even where nothing speaks against it. */
function noteUnchecked(invariant: Invariant, reason: string): void {
  invariant.note = invariant.ok ? `could not be checked: ${reason}` : `${invariant.note}; ${reason}`;
  invariant.ok = false;
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

function addFinding(invariant: Invariant, what: string, finding: Attempt<ProviderFinding>): void {
  if ('failure' in finding) {
    noteUnchecked(invariant, `${what}: ${finding.failure}`);
    return;
  }
  const { checked, violations, examples, note } = finding.value;
  invariant.checked += checked;
  invariant.violations += violations;
  invariant.examples.push(...examples.slice(0, 20 - invariant.examples.length));
  invariant.note ??= note;
  invariant.ok = invariant.ok && violations === 0;
}

/** A record that was changed proves nothing; one without an end may have lost lines, which only a reader can tell. */
function judgeRecords({ doubts }: LoadedRecord, invariant: Invariant): void {
  const changed = doubts.filter(({ isChanged }) => isChanged).map(({ text }) => text);
  if (changed.length > 0) {
    const earlier = invariant.note === null ? '' : `${invariant.note}; `;
    noteUnchecked(invariant, changed.join('; '));
    invariant.note = earlier + invariant.note;
  }
  const others = doubts.filter(({ isChanged }) => !isChanged).map(({ text }) => text);
  if (others.length > 0) invariant.note = [invariant.note, ...others].filter((text) => text !== null).join('; ');
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
