import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../test/postgres/database.ts';

// Longer than 300 lines because every table has its statements for each role, in one list that shows what a role has.
const topologies = ['plain', 'partitioned'] as const;
const historyTables = ['order_events', 'dispute_events', 'webhook_deliveries', 'outbox', 'evidence', 'evidence_files'];
const allTables = [
  ...historyTables,
  'orders',
  'disputes',
  'captures',
  'parked_webhooks',
  'retention_settings',
  'schema_migrations',
  'cdc_positions',
  'cdc_dead_letters',
];
const accessTables = ['users', 'sessions', 'login_throttles', 'security_events'];
const paymentTables = ['payments', 'payment_events', 'refunds', 'payment_commands'];
const cdcTables = ['outbox', 'cdc_positions', 'cdc_dead_letters'];

const outboxRow = `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
                   values (gen_random_uuid(), 'order', 'o1', 'u1', 1, 'x', '{}', '{}')`;

/** What a server gives to every role unless it is taken back. */
const publicRights = [
  'create temporary table mine (id int)',
  'select lo_create(0)',
  "select lo_from_bytea(0, 'x')",
  'select lo_unlink(1)',
];

const walMessage = "select pg_logical_emit_message(false, 'mine', 'x')";

const advisoryLocks = [
  'select pg_advisory_lock(1)',
  'select pg_advisory_lock_shared(1, 2)',
  'select pg_advisory_xact_lock(1)',
  'select pg_try_advisory_lock(1)',
  'select pg_try_advisory_xact_lock_shared(1)',
  'select pg_advisory_unlock_all()',
];

/** What each role tries: permission is checked before any row is looked at, so empty tables serve. */
const denied: Record<string, string[]> = {
  lab_api: [
    ...historyTables.flatMap((table) => [`update ${table} set ${firstColumn(table)} = null`, `delete from ${table}`]),
    ...allTables.map((table) => `truncate ${table}`),
    'delete from orders',
    'delete from disputes',
    'delete from captures',
    'create table mine (id int)',
    'drop table orders',
    'alter table orders add column mine int',
    "update retention_settings set retention = '2 days'",
    "insert into schema_migrations (name, sha256) values ('x', 'x')",
    "select ensure_partitions('outbox', current_date, current_date)",
    "call change_partition_interval('week')",
    "select change_interval_of('outbox', 'week')",
    'create role mine',
    'set role lab_migrate',
    "update orders set order_id = 'other'",
    'update orders set created_at = now()',
    "update disputes set dispute_id = 'other'",
    "update disputes set order_id = 'other'",
    'update disputes set created_at = now()',
    'update captures set capture_id = gen_random_uuid()',
    "update captures set order_id = 'other'",
    'update captures set created_at = now()',
    ...accessTables.flatMap((table) => [`delete from ${table}`, `truncate ${table}`]),
    "update users set role = 'admin'",
    "update users set password_hash = ''",
    "update sessions set expires_at = 'infinity'",
    "update sessions set user_id = 'other'",
    "update login_throttles set key = ''",
    ...paymentTables.map((table) => `truncate ${table}`),
    'delete from payments',
    'delete from payment_events',
    "update payment_events set kind = 'failed'",
    'delete from refunds',
    'update payments set amount_minor = 1',
    "update payments set user_id = 'other'",
    "update payments set account_id = 'other'",
    'update refunds set amount_minor = 1',
    'update payment_commands set payment_id = gen_random_uuid()',
    'select * from security_events',
    'delete from notifications',
    "update notifications set data = '{}'",
    "update notifications set recipient_id = 'other'",
    'delete from webhook_endpoints',
    "update webhook_endpoints set url = 'https://thief.example/'",
    "update webhook_endpoints set secret = 'whsec_'",
    "update security_events set kind = 'logged_in'",
    ...publicRights,
    walMessage,
  ],
  lab_worker: [
    ...allTables.flatMap((table) => [`update ${table} set ${firstColumn(table)} = null`, `delete from ${table}`]),
    ...accessTables.map((table) => `select * from ${table}`),
    "update users set role = 'admin'",
    outboxRow,
    'create table mine (id int)',
    "call change_partition_interval('week')",
    "select change_interval_of('outbox', 'week')",
    ...publicRights,
    walMessage,
  ],
  lab_reader: [
    ...allTables.flatMap((table) => [
      `update ${table} set ${firstColumn(table)} = null`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]),
    outboxRow,
    'select content from evidence_files',
    'select password_hash from users',
    'select token_hash from sessions',
    'select secret from webhook_endpoints',
    'delete from notifications',
    'select * from login_throttles',
    "update users set role = 'admin'",
    'delete from security_events',
    'create table mine (id int)',
    'call run_maintenance()',
    'select limit_public()',
    ...publicRights,
    ...advisoryLocks,
    walMessage,
  ],
  lab_cdc: [
    ...allTables.filter((table) => !cdcTables.includes(table)).map((table) => `select * from ${table}`),
    ...accessTables.map((table) => `select * from ${table}`),
    outboxRow,
    'delete from cdc_dead_letters',
    'update cdc_dead_letters set slot_name = null',
    'update outbox set sequence = 2',
    'delete from outbox',
    'call run_maintenance()',
    'select * from default_partition_rows()',
    ...publicRights,
  ],
  lab_notifications: [
    ...allTables.map((table) => `select * from ${table}`),
    'select password_hash from users',
    'select * from sessions',
    'delete from notifications',
    "update notifications set data = '{}'",
    "update webhook_endpoints set url = 'https://thief.example/'",
    'update notification_preferences set email = true',
    outboxRow,
    ...publicRights,
    walMessage,
  ],
  lab_grafana: [
    ...publicRights,
    ...advisoryLocks,
    walMessage,
    ...[...allTables, ...accessTables].map((table) => `select * from ${table}`),
    'select user_id from users',
    'select user_id from orders',
    'select provider from orders',
    'select user_id from disputes',
    'select body from webhook_deliveries',
    "update orders set status = 'failed'",
    'call run_maintenance()',
  ],
};

/** Of run_maintenance(), which cannot run inside the transaction that undoes it. */
const maintenanceSteps = [
  "select premake_partitions('outbox')",
  "select detach_expired_partition('outbox')",
  "select drop_detached_partition('outbox')",
  "select delete_expired('outbox', 1)",
];

const allowed: Record<string, string[]> = {
  lab_api: [
    ...allTables.map((table) => `select * from ${table}`),
    outboxRow,
    'update orders set sequence = sequence + 1',
    'update disputes set sequence = sequence + 1',
    "update captures set status = 'completed'",
    'select pg_advisory_xact_lock(1)',
    'select from orders for update',
    'select from disputes for update',
    'select from captures for update',
    'delete from parked_webhooks',
    'select * from users',
    'select from sessions for update',
    "update sessions set revoked_at = now(), revoked_because = 'reused'",
    'update login_throttles set attempts = 0',
    "insert into security_events (event_id, kind) values (gen_random_uuid(), 'registered')",
    ...maintenanceSteps,
    'select * from default_partition_rows()',
  ],
  lab_worker: [...allTables.map((table) => `select * from ${table}`), ...maintenanceSteps],
  lab_reader: [
    ...allTables.filter((table) => table !== 'evidence_files').map((table) => `select * from ${table}`),
    'select * from default_partition_rows()',
    'select user_id, email, role, created_at from users',
    'select session_id, user_id, created_at, refreshed_at, expires_at, revoked_at, revoked_because from sessions',
    'select * from security_events',
  ],
  lab_cdc: [
    ...cdcTables.map((table) => `select * from ${table}`),
    "update cdc_positions set state = 'loading'",
    'delete from cdc_positions',
    'select pg_try_advisory_lock(1)',
    walMessage,
  ],
  lab_notifications: [
    'select user_id, email, created_at from users',
    'select * from webhook_endpoints',
    'select * from notifications for update skip locked',
    "update notifications set status = 'canceled', finished_at = now()",
    "update webhook_endpoints set status = 'disabled'",
  ],
  lab_grafana: [
    'select order_id, status, currency, amount_minor, on_hold, created_at, updated_at from orders',
    'select dispute_id, status, reason, currency, amount_minor, opened_at, closed_at from disputes',
    'select * from default_partition_rows()',
  ],
};

function firstColumn(table: string): string {
  const known: Record<string, string> = {
    webhook_deliveries: 'delivery_id',
    evidence: 'evidence_id',
    evidence_files: 'file_id',
    orders: 'order_id',
    disputes: 'dispute_id',
    captures: 'capture_id',
    parked_webhooks: 'provider',
    retention_settings: 'table_name',
    schema_migrations: 'name',
    cdc_positions: 'slot_name',
    cdc_dead_letters: 'slot_name',
  };
  return known[table] ?? 'event_id';
}

describe.each(topologies)('%s', (topology) => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase(topology);
    client = new Client({ connectionString: database.dsn });
    await client.connect();
    // What was taken at a database, and not in it, is not in a copy of it.
    await client.query('select limit_public()');
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  /** Tries the statement as the role and undoes it. @returns the SQLSTATE of the error, or `ok`. */
  async function outcome(role: string, statement: string): Promise<string> {
    await client.query('begin');
    try {
      // As the session's user, so that a `set role` in the statement is judged by the role's own memberships.
      await client.query(`set local session authorization ${role}`);
      await client.query(statement);
      return 'ok';
    } catch (error) {
      return String((error as { code: string }).code);
    } finally {
      await client.query('rollback');
    }
  }

  async function outcomes(role: string, statements: string[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const statement of statements) found[statement] = await outcome(role, statement);
    return found;
  }

  const expectAll = (statements: string[], result: string) => Object.fromEntries(statements.map((s) => [s, result]));

  test.each(Object.keys(denied))('%s is refused what it does not need', async (role) => {
    const statements = [...denied[role]!, ...(topology === 'partitioned' ? ['delete from outbox_default'] : [])];
    expect(await outcomes(role, statements)).toEqual(expectAll(statements, '42501'));
  });

  test.each(Object.keys(allowed))('%s may do what it needs', async (role) => {
    expect(await outcomes(role, allowed[role]!)).toEqual(expectAll(allowed[role]!, 'ok'));
  });

  test.each(Object.keys(denied))('%s cannot log in by itself and is not powerful', async (role) => {
    const { rows } = await client.query(
      'select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = $1',
      [role],
    );
    expect(Object.values(rows[0])).toEqual([false, false, false, false, false]);
  });

  test('roles that serve requests have limits of their own, for sessions that a pooler opened', async () => {
    const { rows } = await client.query(
      "select rolname, rolconfig from pg_roles where rolname in ('lab_api', 'lab_reader', 'lab_grafana') order by 1",
    );
    const limits = ['idle_in_transaction_session_timeout=30s', 'statement_timeout=10s'];
    expect(rows.map(({ rolname, rolconfig }) => [rolname, rolconfig?.sort()])).toEqual([
      ['lab_api', limits],
      ['lab_grafana', limits],
      ['lab_reader', limits],
    ]);
  });

  test('lab_api may update every column of orders, disputes and captures that can change', async () => {
    const { rows } = await client.query(
      `select c.relname || '.' || a.attname as name
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.oid in ('orders'::regclass, 'disputes'::regclass, 'captures'::regclass) and a.attnum > 0
         and not a.attisdropped and not has_column_privilege('lab_api', c.oid, a.attnum, 'update')
       order by 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual([
      'captures.capture_id',
      'captures.created_at',
      'captures.order_id',
      'disputes.created_at',
      'disputes.dispute_id',
      'disputes.order_id',
      'orders.created_at',
      'orders.order_id',
    ]);
  });

  test('no role may write to a partition itself, past its parent', async () => {
    const { rows } = await client.query(
      `select c.relname from pg_class c, aclexplode(c.relacl) a 
       where c.relispartition and a.grantee <> c.relowner and a.privilege_type <> 'SELECT'`,
    );
    expect(rows).toEqual([]);
  });
});
