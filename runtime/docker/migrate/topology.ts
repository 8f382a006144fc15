import { lookup } from 'node:dns/promises';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { isTopologyName, type TopologyName } from '../../../kernel/topology.ts';
import { waitUntil } from '../../../kernel/wait.ts';

/**
 * The topology that a server was started for: it says so in the setting `lab.topology` of its command line. The one
 * place that decides is thereby the database's service in the compose file, and nothing else can disagree with it.
 * @throws Error when no server answers within a minute, or several do, or when it is not one of the lab's.
 */
export async function askTopology(dsn: string): Promise<TopologyName> {
  await checkAlone(new URL(dsn).hostname);
  let topology: string | null = null;
  let failure: unknown;
  const answered = await waitUntil(
    () =>
      withClient(dsn, async (client) => {
        const { rows } = await client.query("select current_setting('lab.topology', true) as topology");
        topology = rows[0].topology;
        return true;
      }).catch((error) => {
        failure = error;
        return false;
      }),
    { timeoutMs: 60_000, intervalMs: 500 },
  );
  if (!answered) throw new Error('No database answers at `db`. Was a profile chosen?', { cause: failure });
  if (topology !== null && isTopologyName(topology)) return topology;
  throw new Error(`The server's lab.topology is ${topology}, which is no topology.`);
}

/** Of two profiles at once each service would get the one database or the other, by chance. */
async function checkAlone(host: string): Promise<void> {
  const addresses = await lookup(host, { all: true, family: 4 }).catch(() => []);
  if (addresses.length > 1) {
    throw new Error(
      'Several databases answer at `db`: another profile runs. End it: docker compose --profile "*" down',
    );
  }
}
