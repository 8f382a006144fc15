import type { ClientConfig } from 'pg';

export type SessionSettings = Readonly<Record<string, string>>;

/**
 * What the code relies on in every session. A role or a database may have other defaults: another form of times would be
 * read wrongly or not at all, another search path finds other tables, and a time limit ends work that is meant to be long.
 * Not among them is what an operator sets for good reasons: `default_transaction_read_only`, with which a database is
 * fenced, and `synchronous_commit`.
 */
const forms: SessionSettings = {
  search_path: 'public',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  standard_conforming_strings: 'on',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  default_transaction_isolation: 'read committed',
};
const noLimits: SessionSettings = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
};

/**
 * Where a connection leads and with which settings its session begins: those above, then `settings`, then what the
 * URL's own `options` say. They come with the start of the session, so that no default of a role or database counts,
 * and no round trip is needed. A pooler takes no options: for its sessions see `pinnedStatement`.
 */
export function pinnedSession(
  dsn: string,
  settings: SessionSettings = {},
): Pick<ClientConfig, 'connectionString' | 'options'> {
  const options = commandLine({ ...forms, ...noLimits, ...settings });
  const own = URL.canParse(dsn) ? new URL(dsn).searchParams.get('options') : null;
  if (own === null) return { connectionString: dsn, options };
  // What the URL says replaces what stands beside it.
  const url = new URL(dsn);
  url.searchParams.set('options', `${options} ${own}`);
  return { connectionString: url.href };
}

/**
 * SQL that makes the settings above in a session that another part has begun, such as a pooler's. Its limits of time are
 * those of the role: see docs/decisions/0014.
 */
export function pinnedStatement(): string {
  return Object.entries(forms)
    .map(([name, value]) => `set ${name} = '${value}'`)
    .join('; ');
}

function commandLine(settings: SessionSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}
