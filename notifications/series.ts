import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../kernel/metrics.ts';
import type { EngineStatus } from '../stream/engine.ts';
import { type Channel, channels } from './notification.ts';

/** The process's own metrics. */
export function createSeries(
  { registry }: Pick<Metrics, 'registry'>,
  read: { status(): EngineStatus; isOut(channel: Channel): boolean },
) {
  const registers = [registry];
  new Gauge({
    name: 'notifications_slot_lag_bytes',
    help: 'WAL that the reader of the outbox has not confirmed to its slot.',
    registers,
    collect() {
      this.set(read.status().lagBytes ?? 0);
    },
  });
  new Gauge({
    name: 'notifications_outage',
    help: '1 while nothing can be sent by a channel, else 0.',
    labelNames: ['channel'],
    registers,
    collect() {
      for (const channel of channels) this.set({ channel }, read.isOut(channel) ? 1 : 0);
    },
  });
  return {
    open: new Gauge({
      name: 'notifications_open',
      help: 'Notifications that wait to be sent (pending), or were given up (dead).',
      labelNames: ['channel', 'status'],
      registers,
    }),
    outcomes: new Counter({
      name: 'notifications_total',
      help: 'Tries to send, by what became of them: sent, failed, refused, dead, canceled or outage.',
      labelNames: ['channel', 'outcome'],
      registers,
    }),
    planned: new Counter({
      name: 'notifications_planned_total',
      help: 'Notifications written to be sent.',
      registers,
    }),
    refusedEvents: new Counter({
      name: 'notifications_refused_events_total',
      help: 'Events put aside because they cannot be read.',
      labelNames: ['reason'],
      registers,
    }),
    restarts: new Counter({
      name: 'notifications_restarts_total',
      help: 'New beginnings of the reader after a lost connection.',
      registers,
    }),
    alarm: new Gauge({
      name: 'notifications_alarm',
      help: '1 once the reader of the outbox refuses to run on, by the reason.',
      labelNames: ['reason'],
      registers,
    }),
  };
}
