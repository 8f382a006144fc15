import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createProviderClient, type ProviderClient } from '../../api/provider-client/client.ts';
import { listen } from '../../kernel/http/server.ts';
import { createMetrics } from '../../kernel/metrics.ts';
import { createProviderApp } from '../../simulator/provider/app.ts';
import { createFaults, type FaultSettings, faultSettings } from '../../simulator/provider/faults.ts';
import {
  type CaptureEntry,
  type LedgerEntry,
  openLedger,
  type RepresentmentEntry,
} from '../../simulator/provider/ledger.ts';

export interface SimulatedProvider {
  client: ProviderClient;
  setFaults(faults: Partial<FaultSettings>): void;
  /** What the provider's own books say of an order. */
  capturesOf(orderId: string): CaptureEntry[];
  representmentsOf(disputeId: string): RepresentmentEntry[];
  close(): Promise<void>;
}

/** The simulated provider in this process, with its ledger in a directory of its own, and a client for it. */
export async function startProvider(options: { timeoutMs: number; seed?: number }): Promise<SimulatedProvider> {
  const directory = await mkdtemp(join(tmpdir(), 'provider-'));
  const ledger = await openLedger(join(directory, 'ledger.jsonl'));
  const faults = createFaults(options.seed ?? 1);
  const app = createProviderApp({ ledger, faults, logger: pino({ level: 'silent' }), now: () => new Date() });
  const http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 10_000 });
  const client = createProviderClient({
    url: http.url,
    timeoutMs: options.timeoutMs,
    metrics: createMetrics({ service: 'test', topology: 'plain' }),
  });
  const entries = <Entry extends LedgerEntry>(matches: (entry: LedgerEntry) => boolean): Entry[] =>
    ledger.entries().filter(matches) as Entry[];
  return {
    client,
    setFaults: (settings) => faults.set(faultSettings.parse(settings)),
    capturesOf: (orderId) => entries((entry) => entry.type === 'capture' && entry.order_id === orderId),
    representmentsOf: (disputeId) =>
      entries((entry) => entry.type === 'representment' && entry.dispute_id === disputeId),
    close: async () => {
      await client.close();
      await http.close(0);
      await ledger.close();
      await rm(directory, { recursive: true });
    },
  };
}
