import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { isAlive, listProcesses } from './processes.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';

let run: RunDirectory;
let server: PostgresServer;
beforeAll(async () => {
  run = await createRunDirectory();
  server = await startPostgres({ runDirectory: run.path, name: 'primary', settings: { work_mem: '7MB' } });
});
afterAll(() => run.close());

test('a server starts with durable settings and those that were asked for', async () => {
  const { rows } = await withClient(server.dsn(), (client) =>
    client.query(
      `select name, setting from pg_settings
       where name in ('fsync', 'synchronous_commit', 'wal_level', 'work_mem', 'listen_addresses', 'data_checksums',
                      'unix_socket_directories', 'shared_preload_libraries') order by name`,
    ),
  );
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    data_checksums: 'on',
    fsync: 'on',
    listen_addresses: '127.0.0.1',
    shared_preload_libraries: 'pg_stat_statements',
    synchronous_commit: 'on',
    unix_socket_directories: '',
    wal_level: 'logical',
    work_mem: '7168',
  });
});

test('no client gets in without the password, and no process shows it', async () => {
  await expect(withClient(server.dsn('postgres', 'postgres', 'wrong'), async () => {})).rejects.toThrow(
    'password authentication failed',
  );
  const commands = (await listProcesses()).map(({ command }) => command).join('\n');
  expect(commands).not.toContain(server.superuserPassword);
  for (const file of await readdir(run.path)) {
    if (file.endsWith('-data')) continue;
    expect(await readFile(path.join(run.path, file), 'utf8')).not.toContain(server.superuserPassword);
  }
});

test('what was committed is there after kill -9 and a restart on the same port', async () => {
  await withClient(server.dsn(), async (client) => {
    await client.query('create table survivors (id int)');
    await client.query('insert into survivors values (1)');
  });
  const { pid, port } = server;
  server.kill('SIGKILL');
  await expect.poll(() => isAlive(pid)).toBe(false);
  await server.restart();
  expect(server.port).toBe(port);
  const { rowCount } = await withClient(server.dsn(), (client) => client.query('select from survivors'));
  expect(rowCount).toBe(1);
});

test('a wrong setting fails with what the server said, and leaves no process', async () => {
  const start = startPostgres({ runDirectory: run.path, name: 'broken', settings: { shared_buffers: 'plenty' } });
  await expect(start).rejects.toThrow(/did not start.*invalid value for parameter "shared_buffers"/s);
  expect((await listProcesses()).filter(({ command }) => command.includes('broken-data'))).toEqual([]);
});

test('a taken port that was asked for is an error, not another port', async () => {
  const start = startPostgres({ runDirectory: run.path, name: 'second', port: server.port });
  await expect(start).rejects.toThrow('Address already in use');
});

test('stop ends the server', async () => {
  const directory = path.join(run.path, 'own');
  await mkdir(directory, { mode: 0o711 });
  const other = await startPostgres({ runDirectory: directory, name: 'short_lived' });
  await other.stop();
  expect(await isAlive(other.pid)).toBe(false);
});
