import { withClient } from '../../kernel/postgres/with-client.ts';
import type { PostgresServer } from '../../runtime/native/postgres.ts';
import { migrate } from '../../sql/migrate.ts';
import type { Pipeline } from './conformance.ts';
import type { EngineArguments } from './engine-child.ts';
import { type EngineProcess, startEngine } from './engine-process.ts';

export interface NativePipeline extends Pipeline {
  slotName: string;
  engine(): EngineProcess;
  start(more?: NativeArguments): Promise<void>;
  /** Starts without waiting for anything, as with a slot that is gone. */
  launch(more?: NativeArguments): EngineProcess;
}

type NativeArguments = Partial<Extract<EngineArguments['engine'], { kind: 'native' }>>;

/** The native engine with a database of its own on `server`, under a login with the rights of lab_cdc only. */
export async function openNativePipeline(
  server: PostgresServer,
  topology: 'plain' | 'partitioned',
  storeUrl: string,
  limits?: EngineArguments['limits'],
): Promise<NativePipeline> {
  const name = `cdc_${Math.random().toString(36).slice(2, 10)}`;
  await withClient(server.dsn(), (client) => client.query(`create database ${name}`));
  const dsn = server.dsn(name);
  await migrate({ dsn, topology });
  await withClient(dsn, (client) => client.query(`alter role lab_cdc login password 'test'`));
  const slotName = name;
  const engines: EngineProcess[] = [];
  const current = (): EngineProcess => engines.at(-1)!;

  const launch: NativePipeline['launch'] = (more = {}) => {
    const engine = startEngine({
      storeUrl,
      engine: { kind: 'native', dsn: server.dsn(name, 'lab_cdc', 'test'), slotName, ...more },
      ...(limits && { limits }),
    });
    engines.push(engine);
    return engine;
  };

  return {
    dsn,
    slotName,
    engine: current,
    launch,
    start: async (more) => {
      launch(more);
      // Streaming or still loading: what is written from now on must arrive either way.
      await waitFor(async () => ['streaming', 'loading'].includes((await current().status()).status.state), current);
    },
    stop: async () => {
      const end = await current().stop();
      if (end.code !== 0) throw new Error(`The engine ended with ${JSON.stringify(end)}:\n${current().log()}`);
    },
    kill: () => current().kill(),
    log: () => engines.map((engine) => engine.log()).join('\n'),
    close: async () => {
      for (const engine of engines) if (!engine.exit()) await engine.kill();
      await withClient(server.dsn(), async (client) => {
        await waitFor(async () => {
          const { rows } = await client.query('select active from pg_replication_slots where slot_name = $1', [
            slotName,
          ]);
          return rows[0]?.active !== true;
        }, current);
        await client.query(
          'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
          [slotName],
        );
        await client.query(`drop database ${name} with (force)`);
      });
    },
  };
}

async function waitFor(condition: () => Promise<boolean>, engine: () => EngineProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`The engine did not get there in 20 s:\n${engine()?.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
