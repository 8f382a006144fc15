import { setTimeout as delay } from 'node:timers/promises';
import { type AlarmReason, CdcAlarm } from '../alarm.ts';
import {
  type ConnectorAddress,
  type ConnectorHealth,
  connectorHealth,
  forgetOffsets,
  restartFailed,
  resumeConnector,
  stopConnector,
} from './connect-api.ts';

/** Failures that no restart mends, by Debezium's or PostgreSQL's words for them. */
const alarms: readonly (readonly [RegExp, AlarmReason])[] = [
  [
    /can no longer (?:get changes from|access) replication slot|invalidated|requested WAL segment .* removed/i,
    'slot_lost',
  ],
  [/ahead of|offset.*mismatch|mismatch.*offset|slot.*re-?created/i, 'slot_moved'],
  [/no longer available on the server|replication slot "[^"]*" does not exist/i, 'slot_missing'],
  [/publication "[^"]*" does not exist/i, 'publication_missing'],
];

/** The alarm that a failed connector means; undefined where starting it again may help. */
export function alarmOf(health: ConnectorHealth): CdcAlarm | undefined {
  if (health.state !== 'failed') return undefined;
  const text = health.trace ?? health.detail;
  const reason = alarms.find(([pattern]) => pattern.test(text))?.[1];
  return reason && new CdcAlarm(reason, `Debezium stopped: ${health.detail}`, remedy);
}

const remedy =
  'Events may be missing. Load the outbox again with reloadConnector (cdc/debezium), which takes a new slot; then run ' +
  'the audit, which lists what the outbox no longer held.';

/**
 * Looks at the connector until the signal aborts, and starts it again when it failed for a reason that may pass.
 * @throws CdcAlarm when going on would lose events: the connector stays stopped.
 */
export async function watchConnector(
  options: ConnectorAddress & {
    everyMs: number;
    signal: AbortSignal;
    onHealth?(health: ConnectorHealth): void;
    onRestart?(health: ConnectorHealth): void;
  },
): Promise<void> {
  const { everyMs, signal } = options;
  while (!signal.aborted) {
    const health = await connectorHealth(options);
    options.onHealth?.(health);
    const alarm = alarmOf(health);
    if (alarm) throw alarm;
    if (health.state === 'failed') {
      options.onRestart?.(health);
      await restartFailed(options).catch(() => {});
    }
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
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
