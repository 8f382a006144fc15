import { untilSuccess } from '../../kernel/repeat.ts';
import { pause } from '../../kernel/wait.ts';
import type { AlarmReason, CdcAlarm } from '../../stream/alarm.ts';
import type { SlotStatus } from '../../stream/native/slot.ts';
import {
  type ConnectorAddress,
  type ConnectorHealth,
  connectorHealth,
  forgetOffsets,
  restartFailed,
  resumeConnector,
  stopConnector,
  storedOffset,
} from './connect-api.ts';
import { alarm, createSlotGuard } from './slot-guard.ts';

/** Failures that no restart mends, by Debezium's or PostgreSQL's words for them. */
const hopeless: readonly (readonly [RegExp, AlarmReason])[] = [
  [
    /can no longer (?:get changes from|access) replication slot|invalidated|requested WAL segment .* removed/i,
    'slot_lost',
  ],
  [/Cannot seek to the last known offset/i, 'slot_moved'],
  [/no longer available on the server|replication slot "[^"]*" does not exist/i, 'slot_missing'],
  [/publication "[^"]*" does not exist/i, 'publication_missing'],
];

/** The alarm that a failed connector means; undefined where starting it again may help. */
export function alarmOf(health: ConnectorHealth): CdcAlarm | undefined {
  if (health.state !== 'failed') return undefined;
  const text = health.trace ?? health.detail;
  const reason = hopeless.find(([pattern]) => pattern.test(text))?.[1];
  return reason && alarm(reason, `Debezium stopped: ${health.detail}`);
}

export interface WatchOptions extends ConnectorAddress {
  slotName: string;
  /** The slot as the server sees it. Failures are reported and passed over: the database may be away for a while. */
  readSlot(): Promise<SlotStatus | undefined>;
  /** Pause between two looks. Well below Connect's offset.flush.interval.ms. */
  everyMs: number;
  signal: AbortSignal;
  onLook?(health: ConnectorHealth, slot: SlotStatus | undefined): void;
  onRestart?(health: ConnectorHealth): void;
  onProblem?(error: unknown): void;
  /** Told at once; the watch then ends when the connector has been stopped. */
  onAlarm?(alarm: CdcAlarm): void;
}

/**
 * Looks at connector and slot until the signal aborts, and starts the connector again when it failed for a reason that
 * may pass.
 * @throws CdcAlarm when going on would lose events. The connector is stopped then, as soon as Connect can be reached.
 */
export async function watchConnector(options: WatchOptions): Promise<void> {
  const { everyMs, signal, slotName } = options;
  const guard = createSlotGuard(slotName);
  while (!signal.aborted) {
    try {
      const health = await look(options, guard);
      const found = alarmOf(health);
      if (found) throw found;
      if (health.state === 'failed') {
        options.onRestart?.(health);
        await restartFailed(options).catch((error) => options.onProblem?.(error));
      }
    } catch (error) {
      if (!isAlarm(error)) {
        options.onProblem?.(error);
      } else {
        options.onAlarm?.(error);
        await stopForGood(options);
        throw error;
      }
    }
    await pause(everyMs, signal);
  }
}

async function look(options: WatchOptions, guard: ReturnType<typeof createSlotGuard>): Promise<ConnectorHealth> {
  const slot = await options.readSlot();
  let offsetsKnown = true;
  const storedLsn = await storedOffset(options).catch(() => {
    offsetsKnown = false;
    return undefined;
  });
  const health = await connectorHealth(options);
  options.onLook?.(health, slot);
  guard.check({ slot, storedLsn, offsetsKnown });
  return health;
}

/** A worker that comes back would start the connector by itself, so it is waited for. */
async function stopForGood(options: WatchOptions): Promise<void> {
  await untilSuccess(() => stopConnector(options), {
    pauseMs: options.everyMs,
    signal: options.signal,
    onFailure: (error) => options.onProblem?.(error),
  });
}

function isAlarm(error: unknown): error is CdcAlarm {
  return error instanceof Error && error.name === 'CdcAlarm';
}

/**
 * After an alarm, on a person's decision: forgets slot and offsets, and loads again what the outbox still holds. Events
 * that were there already come a second time and are recognised by their ids.
 * @param dropSlot drops the connector's slot where it exists.
 */
export async function reloadConnector(address: ConnectorAddress, dropSlot: () => Promise<void>): Promise<void> {
  await stopConnector(address);
  await dropSlot();
  await forgetOffsets(address);
  await resumeConnector(address);
}
