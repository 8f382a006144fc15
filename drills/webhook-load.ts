import { waitUntil } from '../kernel/wait.ts';
import { createDelivery, type DeliveryOptions, type DeliveryTotals } from '../simulator/delivery/delivery.ts';
import { silvergateSigner } from '../simulator/delivery/sign.ts';
import { openRecord, type RecordWriter } from '../simulator/record/record.ts';
import { createRandom } from '../simulator/workload/random.ts';
import { createWorkload } from '../simulator/workload/workload.ts';

export interface DrillLoad {
  readonly totals: DeliveryTotals;
  /** Monotonic times of the acknowledgements, in milliseconds, in order. */
  readonly acknowledgedAtMs: readonly number[];
  /** Waits for so many further acknowledgements. @throws Error when they take longer than a minute. */
  waitForAcks(count: number): Promise<void>;
  /** When the first acknowledgement after `atMs` came; waits for it. Undefined when none came in time. */
  firstAckAfter(atMs: number, timeoutMs: number): Promise<number | undefined>;
  /** Starts nothing new; deliveries under way are repeated until they are answered. */
  stop(): Promise<void>;
}

export interface DrillLoadOptions {
  url: string;
  /** Signing secret of the native provider. */
  secret: string;
  /** Access token of the reads. */
  token: string;
  recordFile: string;
  seed: number;
  /** Begins every id; 1 to 16 small letters and digits. */
  run: string;
  /** Deliveries a second. */
  rate: number;
  /** Deliveries under way at a time; 32 unless told otherwise. */
  concurrency?: number;
  /** Share of the acknowledgements after which the order is read back; a twentieth unless told otherwise. */
  readShare?: number;
  now: () => Date;
  /** Monotonic, in milliseconds. */
  clock: () => number;
}

/** Webhooks from a provider that repeats what is not answered and writes down what is, until it is stopped. */
export async function startLoad(options: DrillLoadOptions): Promise<DrillLoad> {
  const { clock } = options;
  const record = await openRecord(options.recordFile);
  const acknowledgedAtMs: number[] = [];
  const stop = new AbortController();
  const noted: RecordWriter = {
    ...record,
    append: async (line) => {
      await record.append(line);
      if (line.type === 'ack') acknowledgedAtMs.push(clock());
    },
  };
  const delivery = createDelivery(deliveryOptions(options, noted, stop.signal));
  let failure: unknown;
  const running = delivery.run().catch((error) => {
    failure = error;
  });
  const check = (): void => {
    if (failure !== undefined) throw failure;
  };
  return {
    totals: delivery.totals,
    acknowledgedAtMs,
    waitForAcks: async (count) => {
      const wanted = acknowledgedAtMs.length + count;
      const come = await waitUntil(
        () => {
          check();
          return acknowledgedAtMs.length >= wanted;
        },
        { timeoutMs: 60_000 },
      );
      if (!come) throw new Error(`only ${acknowledgedAtMs.length} of ${wanted} acknowledgements after a minute`);
    },
    firstAckAfter: async (atMs, timeoutMs) => {
      await waitUntil(() => (acknowledgedAtMs.at(-1) ?? 0) > atMs, { timeoutMs, intervalMs: 5 });
      return acknowledgedAtMs.find((time) => time > atMs);
    },
    stop: async () => {
      stop.abort();
      await running;
      await record.close();
      check();
    },
  };
}

function deliveryOptions(
  { url, secret, token, seed, run, rate, concurrency = 32, readShare = 0.05, now, clock }: DrillLoadOptions,
  record: RecordWriter,
  signal: AbortSignal,
): DeliveryOptions {
  return {
    url,
    workload: createWorkload({
      seed,
      run,
      startTimeMs: now().getTime(),
      providers: { silvergate: 1 },
      duplicates: 0.02,
      late: 0.01,
      spacing: 128,
      eventIntervalMs: 1_000 / rate,
    }),
    signers: { silvergate: silvergateSigner(secret) },
    count: Number.MAX_SAFE_INTEGER,
    concurrency,
    rate,
    record,
    readShare,
    token,
    random: createRandom(seed, 1_000_003),
    timeoutMs: 15_000,
    giveUpAfterMs: 120_000,
    now,
    clock,
    signal,
  };
}
