import type { Logger } from 'pino';
import { atAddress, splitHosts } from '../../kernel/postgres/hosts.ts';
import { formatLsn } from '../../kernel/postgres/lsn.ts';
import { createPrimaryFinder } from '../../kernel/postgres/primary-finder.ts';
import { pause } from '../../kernel/wait.ts';
import { CdcAlarm } from '../alarm.ts';
import type { BatchLimits } from '../batcher.ts';
import type { Sink, SinkEvent } from '../clickhouse/clickhouse-sink.ts';
import type { Engine } from '../engine.ts';
import { runSession, type SessionState } from './session.ts';

export interface NativeOptions {
  /** Of a role with REPLICATION and the rights of lab_cdc. Not through a pooler. Several hosts: whichever takes writes. */
  dsn: string;
  slotName: string;
  publication: string;
  sink: Sink;
  limits: BatchLimits;
  logger: Logger;
  nowMs(): number;
  /** Whether to begin anew by itself when the slot cannot be trusted any more, or to stop with an alarm. */
  onLostSlot: 'stop' | 'reload';
  /** Pause between two looks at the slot, which are heartbeats too. Well below the server's wal_sender_timeout. */
  watchEveryMs: number;
  /** WAL of others that may go by before an idle reader confirms it. Above what confirming writes itself. */
  idleAdvanceBytes: number;
  /** How long the batches in hand may take at the end. */
  graceMs: number;
  /** For a server that neither answers nor goes away. Making a slot has a time of its own. */
  queryTimeoutMs: number;
  onSunk(batch: readonly SinkEvent[], sunkAtMs: number): void;
  onRefused(reason: string): void;
  onRestart(): void;
}

const reloadable = new Set(['slot_missing', 'slot_lost', 'slot_moved', 'slot_unknown', 'other_cluster']);
const longestPauseMs = 5_000;
const findPrimaryMs = 1_000;

/** The engine that reads the outbox from the WAL through logical replication, without Kafka. */
export function createNativeEngine(options: NativeOptions): Engine {
  const { logger } = options;
  const state: SessionState = { phase: 'starting', confirmedLsn: 0n };
  const servers = splitHosts(options.dsn);
  const finder = servers.length > 1 ? createPrimaryFinder({ dsns: servers, timeoutMs: findPrimaryMs }) : undefined;

  async function run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let reload = false;
    while (!signal.aborted) {
      const startedMs = options.nowMs();
      try {
        // A session stays on one server. A promotion ends it, and the next one finds the slot's copy on the new
        // primary.
        const dsn = finder ? atAddress(servers[0]!, await finder.find()) : options.dsn;
        await runSession({ ...options, dsn }, state, { reload, signal });
        break;
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof CdcAlarm) {
          if (options.onLostSlot !== 'reload' || !reloadable.has(error.reason)) throw error;
          logger.error(
            { reason: error.reason, detail: error.message },
            'beginning anew with a new slot and a new load',
          );
          reload = true;
        } else {
          // A new slot was asked for and may not have been made yet; the request stays until a session has used it.
          reload &&= state.phase !== 'streaming' && state.phase !== 'loading';
          logger.warn({ err: error }, 'change data capture was interrupted and begins again');
        }
        if (options.nowMs() - startedMs > 60_000) failures = 0;
        failures += 1;
      }
      options.onRestart();
      state.phase = 'waiting';
      state.oldestPendingMs = undefined;
      await pause(Math.min(longestPauseMs, 100 * 2 ** failures), signal);
    }
    state.phase = 'stopped';
  }

  return {
    run,
    status: () => ({
      state: state.phase,
      oldestPendingMs: state.oldestPendingMs?.(),
      lagBytes: state.slot?.lagBytes,
      walStatus: state.slot?.walStatus,
      confirmedLsn: formatLsn(state.confirmedLsn),
    }),
  };
}
