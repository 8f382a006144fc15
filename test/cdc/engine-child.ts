import { createKafkaClient } from '../../kernel/kafka/kafkajs.ts';
import { createLogger } from '../../kernel/logging.ts';
import { CdcAlarm } from '../../stream/alarm.ts';
import type { Engine } from '../../stream/engine.ts';
import { createKafkaEngine } from '../../stream/kafka-source/kafka-engine.ts';
import { createNativeEngine } from '../../stream/native/native-engine.ts';
import { createStoreSink } from './store-sink.ts';

/** An engine in a process of its own, so that a test can kill it: `node engine-child.ts <EngineArguments as JSON>`. */
export interface EngineArguments {
  storeUrl: string;
  engine:
    | { kind: 'native'; dsn: string; slotName: string; onLostSlot?: 'stop' | 'reload'; queryTimeoutMs?: number }
    | { kind: 'kafka'; brokers: string[]; groupId: string };
  limits?: { maxEvents: number; maxBytes: number; maxWaitMs: number };
}

/** What it tells its parent. */
export type EngineReport =
  | { alarm: string; message: string; remedy: string }
  | { status: ReturnType<Engine['status']>; refused: string[]; peakRssBytes: number; heapBytes: number };

if (import.meta.main) {
  const given = JSON.parse(process.argv[2]!) as EngineArguments;
  const logger = createLogger({ service: 'cdc', level: 'warn' });
  const refused: string[] = [];
  const common = {
    logger,
    sink: createStoreSink(given.storeUrl),
    limits: given.limits ?? { maxEvents: 5_000, maxBytes: 4 * 1024 * 1024, maxWaitMs: 50 },
    nowMs: () => Date.now(),
    watchEveryMs: 200,
    onSunk: () => {},
    onRefused: (reason: string) => refused.push(reason),
    onRestart: () => {},
  };
  const engine =
    given.engine.kind === 'native'
      ? createNativeEngine({
          ...common,
          publication: 'lab_outbox',
          onLostSlot: 'stop',
          idleAdvanceBytes: 65_536,
          graceMs: 5_000,
          queryTimeoutMs: 15_000,
          ...given.engine,
        })
      : createKafkaEngine({
          ...common,
          kafka: createKafkaClient({ brokers: given.engine.brokers, clientId: 'test-cdc', logger }),
          groupId: given.engine.groupId,
        });
  const stopping = new AbortController();
  process.on('SIGTERM', () => stopping.abort());
  process.on('message', () => {
    const { heapUsed } = process.memoryUsage();
    const peakRssBytes = process.resourceUsage().maxRSS * 1024;
    process.send!({ status: engine.status(), refused, peakRssBytes, heapBytes: heapUsed } satisfies EngineReport);
  });
  try {
    await engine.run(stopping.signal);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof CdcAlarm)) throw error;
    const { reason, message, remedy } = error;
    process.send!({ alarm: reason, message, remedy } satisfies EngineReport, () => process.exit(4));
  }
}
