import { Client } from 'pg';
import { waitUntil } from '../../../kernel/wait.ts';
import { operatorToken } from '../../../runtime/access-token.ts';
import type { RunningSystem } from '../../../runtime/native/system.ts';
import type { PreparedRequest } from '../../../simulator/driver/connections.ts';
import { serverDsns } from '../../measure/servers.ts';
import { vacuum } from '../../measure/vacuum.ts';
import { prepareWalFiles } from '../../measure/wal-files.ts';
import { prepareTransferAccounts, type TransferShape, transferShapes } from '../../pgbench/transfers.ts';
import { type LoadContext, runPhase } from '../ingest/phase.ts';
import type { StrategyTurn } from './document.ts';
import { createTransferSource } from './source.ts';

/** Clients, each with one transfer under way. */
export const clients = 64;
/** Requests that are made ahead for each second of load. */
const madePerSecond = 6_000;

/** The API in one strategy, under the generator. */
export interface LedgerUnderLoad {
  /** Transfers that were answered with 201, over all phases. */
  readonly acknowledged: number;
  warmUp(durationMs: number): Promise<void>;
  /** Each shape in turn. */
  measure(durationMs: number): Promise<StrategyTurn>;
  /** Transfers that the ledger has. */
  stored(): Promise<number>;
  close(): Promise<void>;
}

export interface LedgerUnderLoadOptions {
  system: RunningSystem;
  seed: number;
  /** Begins every key. */
  run: string;
  signal: AbortSignal;
}

export async function openLedgerUnderLoad(options: LedgerUnderLoadOptions): Promise<LedgerUnderLoad> {
  const { system, seed, run, signal } = options;
  await prepareTransferAccounts(system.dsn.admin);
  const client = new Client({ connectionString: system.dsn.admin, application_name: 'lab-bench' });
  client.on('error', () => {});
  await client.connect();
  const token = await operatorToken(system);
  const sources = new Map(transferShapes.map((shape) => [shape, createTransferSource({ seed, run, shape })]));
  let acknowledged = 0;
  const contextOf = (shape: TransferShape): LoadContext<PreparedRequest> => ({
    url: system.urls.api,
    token,
    source: sources.get(shape)!,
    record: {
      answered: (_request, { status }) => {
        if (status === 201) acknowledged += 1;
      },
      flush: async () => {},
    },
    clients: [client],
    components: {
      api: [system.api.pid],
      postgres: [system.primary, ...system.workers].map(({ pid }) => pid),
      ...(system.replicas[0] && { replica: [system.replicas[0].pid] }),
    },
    seed,
    signal,
  });
  const load = async (shape: TransferShape, durationMs: number): Promise<StrategyTurn['phases'][number]> => {
    const plan = { shape: 'closed', connections: clients, durationMs } as const;
    const { phase } = await runPhase(contextOf(shape), plan, (madePerSecond * durationMs) / 1e3);
    const foldMs = await untilPosted(client);
    const rate = phase.acknowledged / (phase.durationS + foldMs / 1e3);
    return { shape, rate, load: phase, foldMs };
  };
  return {
    get acknowledged() {
      return acknowledged;
    },
    warmUp: async (durationMs) => {
      for (const shape of transferShapes) await load(shape, durationMs);
      await prepareWalFiles(client, 20);
    },
    measure: async (durationMs) => {
      const phases: StrategyTurn['phases'] = [];
      for (const shape of transferShapes) {
        await client.query('checkpoint');
        phases.push(await load(shape, durationMs));
      }
      // Another strategy has the next turn, on the same cores.
      await vacuum(serverDsns(system));
      return { phases };
    },
    stored: async () => {
      const { rows } = await client.query<{ count: string }>('select count(*) as count from transfers');
      return Number(rows[0]!.count);
    },
    close: () => client.end(),
  };
}

/** Legs that wait belong to transfers that were counted: what posting them takes is part of their price. */
async function untilPosted(client: Client): Promise<number> {
  const startedAt = performance.now();
  const posted = async () => (await client.query('select from balance_deltas limit 1')).rowCount === 0;
  if (!(await waitUntil(posted, { timeoutMs: 60_000 }))) throw new Error('legs that wait were not posted in a minute');
  return performance.now() - startedAt;
}
