import { atAddress, splitHosts } from '../../kernel/postgres/hosts.ts';
import { formatLsn } from '../../kernel/postgres/lsn.ts';
import { createPrimaryFinder } from '../../kernel/postgres/primary-finder.ts';
import { pause } from '../../kernel/wait.ts';
import { CdcAlarm } from '../alarm.ts';
import type { Engine } from '../engine.ts';
import { runSession } from './run-session.ts';
import type { SessionOptions, SessionState } from './session.ts';

export interface NativeOptions extends SessionOptions {
  /** As of a session. Several hosts: the one that takes writes is found anew for each session. */
  dsn: string;
  /** Whether to begin anew by itself when the slot cannot be trusted any more, or to stop with an alarm. */
  onLostSlot: 'stop' | 'reload';
  onRestart(): void;
}

const reloadable = new Set(['slot_missing', 'slot_lost', 'slot_moved', 'slot_unknown', 'other_cluster']);
const longestPauseMs = 5_000;
const findPrimaryMs = 1_000;

/** The engine that reads the outbox from the WAL through logical replication, without Kafka. */
export function createNativeEngine(options: NativeOptions): Engine {
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
        reload = reloadsAfter(error, reload);
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

  /** Whether the next session takes a new slot. @throws the alarm that only an operator may answer. */
  function reloadsAfter(error: unknown, asked: boolean): boolean {
    if (error instanceof CdcAlarm) {
      if (options.onLostSlot !== 'reload' || !reloadable.has(error.reason)) throw error;
      const { reason, message: detail } = error;
      options.logger.error({ reason, detail }, 'beginning anew with a new slot and a new load');
      return true;
    }
    options.logger.warn({ err: error }, 'change data capture was interrupted and begins again');
    // A new slot was asked for and may not have been made yet; the request stays until a session has used it.
    return asked && state.phase !== 'streaming' && state.phase !== 'loading';
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
