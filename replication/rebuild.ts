import { access, appendFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { withClient } from '../kernel/postgres/with-client.ts';
import { waitUntil } from '../kernel/wait.ts';
import { startChild } from '../runtime/native/child.ts';
import { logTail } from '../runtime/native/log-tail.ts';
import { type PostgresServer, runServer } from '../runtime/native/postgres.ts';
import {
  connectionInfo,
  createReplicationRole,
  createSlot,
  prepareStandby,
  startReplica,
  waitUntilStreaming,
} from '../runtime/native/replica.ts';
import { findServerUser } from '../runtime/native/server-user.ts';

export interface Rebuilt {
  server: PostgresServer;
  method: 'copy' | 'pg_rewind';
}

/**
 * Makes a former primary, which is stopped, a replica of the new one, at its old address: by pg_rewind where the
 * installation has it (the embedded package has not), and by a new copy where that fails.
 */
export async function rebuildAsReplica(former: PostgresServer, primary: PostgresServer): Promise<Rebuilt> {
  const runDirectory = path.dirname(former.dataDirectory);
  const { name, port } = former;
  const rewind = path.join(former.installation.binDirectory, 'pg_rewind');
  const hasRewind = await access(rewind).then(
    () => true,
    () => false,
  );
  if (hasRewind && (await rewound(rewind, former, primary, runDirectory))) {
    const { kind, installation, superuserPassword, settings, dataDirectory } = former;
    const server = await runServer({
      runDirectory,
      name,
      port,
      kind,
      installation,
      superuserPassword,
      settings,
      dataDirectory,
    });
    await waitUntilStreaming(primary, server);
    return { server, method: 'pg_rewind' };
  }
  await rm(former.dataDirectory, { recursive: true, force: true });
  return { server: await startReplica({ primary, runDirectory, name, port }), method: 'copy' };
}

/** Takes the former primary back to where the timelines parted. Data checksums, which every cluster of the lab has, allow it. */
async function rewound(
  command: string,
  former: PostgresServer,
  primary: PostgresServer,
  runDirectory: string,
): Promise<boolean> {
  const user = await findServerUser();
  const logFile = path.join(runDirectory, `${former.name}-rewind.log`);
  // It reads the timeline from the control file, which is up to date after a checkpoint only.
  await withClient(primary.dsn(), (client) => client.query('checkpoint'));
  const child = await startChild({
    command,
    arguments: [
      '-D',
      former.dataDirectory,
      `--source-server=host=${primary.host} port=${primary.port} user=postgres dbname=postgres`,
    ],
    environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C', PGPASSWORD: primary.superuserPassword },
    workingDirectory: former.dataDirectory,
    logFile,
    user,
  });
  await waitUntil(() => child.ended !== undefined, { timeoutMs: 120_000 });
  if (child.ended === undefined) await child.stop([{ signal: 'SIGKILL', timeoutMs: 5_000 }]);
  if (child.ended !== 'exit status 0') {
    await appendFile(logFile, `pg_rewind: ${child.ended}; the server is copied anew\n${await logTail(logFile)}`);
    return false;
  }
  const conninfo = await withClient(primary.dsn(), async (client) => {
    const role = `lab_${former.name}`;
    const password = await createReplicationRole(client, role);
    await createSlot(client, former.name);
    return connectionInfo(primary, former.name, role, password);
  });
  await prepareStandby(former.dataDirectory, undefined, conninfo, former.name, user);
  return true;
}
