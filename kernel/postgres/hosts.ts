/** One server of a connection URL. */
export interface HostAddress {
  host: string;
  port: number;
}

const pattern = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]*)(\/[^?]*)?(\?.*)?$/;

/**
 * The connection URLs of the servers that `dsn` names, each with one host. As in libpq several hosts are separated by
 * commas, `postgresql://user@first:5432,second:5432/payments?target_session_attrs=read-write`; then the session has to
 * be asked for as `read-write` or `primary`, since any other choice would send writes to a replica.
 * @throws Error that says what is wrong with the URL.
 */
export function splitHosts(dsn: string): string[] {
  const match = pattern.exec(dsn);
  if (!match) throw new Error('must be a postgresql:// URL');
  const [, beginning = '', hosts = '', database = '', query = ''] = match;
  const list = hosts.split(',');
  if (list.length === 1) return [checked(dsn)];
  const parameters = new URLSearchParams(query);
  if (!['read-write', 'primary'].includes(parameters.get('target_session_attrs') ?? '')) {
    throw new Error('several hosts need target_session_attrs=read-write');
  }
  parameters.delete('target_session_attrs');
  const rest = parameters.size > 0 ? `?${parameters}` : '';
  return list.map((host) => checked(`${beginning}${host}${database}${rest}`));
}

/** Several URLs that differ in their hosts only, as one that means whichever of these servers takes writes. */
export function joinHosts(dsns: readonly string[]): string {
  const first = new URL(dsns[0]!);
  const credentials = first.username ? `${first.username}${first.password && `:${first.password}`}@` : '';
  const hosts = dsns.map((dsn) => new URL(dsn).host).join(',');
  return `${first.protocol}//${credentials}${hosts}${first.pathname}?target_session_attrs=read-write`;
}

/** The same URL at another server. */
export function atAddress(dsn: string, { host, port }: HostAddress): string {
  const url = new URL(dsn);
  url.hostname = host;
  url.port = String(port);
  return url.href;
}

/** The same URL at each server's port. */
export function atEach(dsn: string, servers: readonly { port: number }[]): string[] {
  const { host } = addressOf(dsn);
  return servers.map(({ port }) => atAddress(dsn, { host, port }));
}

/** The URL that means whichever of the servers takes writes. */
export function onEach(dsn: string, servers: readonly { port: number }[]): string {
  return servers.length === 1 ? dsn : joinHosts(atEach(dsn, servers));
}

/** Where a URL with one host leads. */
export function addressOf(dsn: string): HostAddress {
  const { hostname, port } = new URL(dsn);
  return { host: decodeURIComponent(hostname), port: Number(port || 5432) };
}

function checked(dsn: string): string {
  if (!URL.canParse(dsn)) throw new Error('must be a URL');
  return dsn;
}
