import { withClient } from '../../../kernel/postgres/with-client.ts';

/**
 * Gives each role LOGIN and its password, so that new secrets hold from the next start on. The exporter's role belongs
 * to this runtime alone, and sees statistics but no data.
 */
export async function setLogins(dsn: string, passwords: Readonly<Record<string, string>>): Promise<void> {
  await withClient(dsn, async (client) => {
    await client.query('create extension if not exists pg_stat_statements');
    const known = await client.query("select from pg_roles where rolname = 'lab_exporter'");
    if (known.rowCount === 0) await client.query('create role lab_exporter in role pg_monitor');
    for (const [role, password] of Object.entries(passwords)) {
      await client.query(
        `alter role ${client.escapeIdentifier(role)} login password ${client.escapeLiteral(password)}`,
      );
    }
  });
}
