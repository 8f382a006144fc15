import { type PlannedEvent, type PlannedOrder, render, timeStepMs, type WorkloadProvider } from './events.ts';
import { createPool } from './pool.ts';
import { createRandom, createZipf } from './random.ts';

export interface WorkloadOptions {
  seed: number;
  /** Begins every id, so that two runs on one database do not meet; 1 to 16 small letters and digits. */
  run: string;
  /** Time of the first event, in milliseconds since 1970. */
  startTimeMs: number;
  /** One of several generators that work side by side; each has orders of its own. */
  shard?: number;
  /** Time from one event to the next at the provider. */
  eventIntervalMs?: number;
  mix?: { update: number; create: number; chargeback: number };
  /** Share of deliveries that repeat an earlier one byte for byte. */
  duplicates?: number;
  /** Share of deliveries that arrive after a newer one of the same order. */
  late?: number;
  providers?: Partial<Record<WorkloadProvider, number>>;
  users?: number;
  /** 0 draws users uniformly; 1 is the usual skew. */
  userSkew?: number;
  /** Deliveries between two of the same order, unless one is a duplicate. */
  spacing?: number;
}

export interface PlannedWebhook {
  /** Position in the sequence, from 0. */
  index: number;
  kind: 'new' | 'update' | 'chargeback' | 'duplicate' | 'late';
  provider: WorkloadProvider;
  /** Below /webhooks/. */
  path: string;
  /** JSON text, to be sent as UTF-8. Adyen's needs its signature put in. */
  body: string;
  providerEventId: string;
  orderId: string;
  /** Null for events of the order itself. */
  disputeId: string | null;
  /** The provider's time of the change; what decides which event is newer. */
  occurredAtMs: number;
}

export interface Workload {
  /** The next delivery; the sequence has no end. */
  next(): PlannedWebhook;
}

/** The mix of the `ingest` scenario. */
const ingestMix = { update: 0.7, create: 0.2, chargeback: 0.1 } as const;

interface OrderState extends PlannedOrder {
  lastAtMs: number;
}

interface DisputeState {
  order: OrderState;
  disputeId: string;
  stage: 'opened' | 'updated';
  openedAtMs: number;
  lastAtMs: number;
}

const currencies = ['EUR', 'USD', 'GBP', 'JPY'] as const;
/** Open orders are kept between these numbers by closing fewer or more of them, so that memory stays bounded. */
const fewOpenOrders = 64;
const manyOpenOrders = 4_096;
const recentDeliveries = 256;

/**
 * A provider's deliveries, planned one by one: everything follows from the options, nothing from the clock, from the
 * answers or from the platform, so that every topology and both drivers get the same bytes.
 */
export function createWorkload(options: WorkloadOptions): Workload {
  const { run, startTimeMs, shard = 0, eventIntervalMs = 0.1, mix = ingestMix, spacing = 128 } = options;
  const { duplicates = 0.02, late = 0.01, users = 10_000, userSkew = 0 } = options;
  if (!/^[a-z0-9]{1,16}$/.test(run)) throw new Error('run must be 1 to 16 small letters and digits');
  const random = createRandom(options.seed, shard);
  const drawUser = createZipf(users, userSkew);
  const drawProvider = weighted(options.providers ?? { silvergate: 1 });
  // Capitals separate the parts, since neither a run nor a number in base 36 has any.
  const prefix = shard === 0 ? run : `${run}S${shard}`;
  const openOrders = createPool<OrderState>(spacing);
  const paidOrders = createPool<OrderState>(spacing);
  const disputes = createPool<DisputeState>(spacing);
  const recent: PlannedWebhook[] = [];
  const held: { dueAt: number; webhook: Omit<PlannedWebhook, 'index'> }[] = [];
  // Of every update that is drawn, this share is held back, so that `late` of all deliveries are late ones.
  const holdShare = late === 0 ? 0 : late / (mix.update * (1 - late - duplicates));
  let index = 0;
  let serial = 0;
  let updatesOwed = 0;
  let chargebacksOwed = 0;

  const token = () => `${prefix}X${(serial++).toString(36)}`;
  const nowMs = () => startTimeMs + Math.floor(index * eventIntervalMs);

  function next(): PlannedWebhook {
    const webhook: PlannedWebhook = { index, ...plan() };
    if (webhook.kind !== 'duplicate') recent[index % recentDeliveries] = webhook;
    index += 1;
    return webhook;
  }

  function plan(): Omit<PlannedWebhook, 'index'> {
    if (held.length > 0 && held[0]!.dueAt <= index) return held.shift()!.webhook;
    if (index > 0 && random.next() < duplicates) {
      const original = recent[random.below(Math.min(index, recentDeliveries))];
      if (original) return { ...original, kind: 'duplicate' };
    }
    const draw = random.next() * (mix.update + mix.create + mix.chargeback);
    if (draw < mix.create) return (owedUpdate() ?? owedChargeback() ?? create()) as Omit<PlannedWebhook, 'index'>;
    if (draw < mix.create + mix.update) return update() ?? owe('update');
    return chargeback() ?? owe('chargeback');
  }

  /** A run begins with orders only, since nothing else can refer to anything yet; later draws make up for it. */
  function owe(kind: 'update' | 'chargeback'): Omit<PlannedWebhook, 'index'> {
    if (kind === 'update') updatesOwed += 1;
    else chargebacksOwed += 1;
    return create();
  }

  function owedUpdate(): Omit<PlannedWebhook, 'index'> | undefined {
    const webhook = updatesOwed > 0 ? update() : undefined;
    if (webhook) updatesOwed -= 1;
    return webhook;
  }

  function owedChargeback(): Omit<PlannedWebhook, 'index'> | undefined {
    const webhook = chargebacksOwed > 0 ? chargeback() : undefined;
    if (webhook) chargebacksOwed -= 1;
    return webhook;
  }

  function create(): Omit<PlannedWebhook, 'index'> {
    const order: OrderState = {
      provider: drawProvider(random.next()),
      orderId: `ord_${token()}`,
      userId: `usr_${drawUser(random)}`,
      amountMinor: 100 + random.below(100_000),
      currency: currencies[random.below(currencies.length)]!,
      createdAtMs: nowMs(),
      lastAtMs: nowMs(),
    };
    openOrders.add(order, index);
    return deliver('new', { target: 'order', order, status: 'created', token: token(), atMs: order.createdAtMs });
  }

  function update(): Omit<PlannedWebhook, 'index'> | undefined {
    const order = openOrders.take(index, random);
    if (!order) return undefined;
    if (random.next() < holdShare) holdBack(order);
    const status = random.next() < closingShare() ? (random.next() < 0.9 ? 'success' : 'failed') : 'updated';
    if (status === 'updated') openOrders.add(order, index);
    // Only paid orders are charged back; the oldest are forgotten, so that memory stays bounded.
    else if (status === 'success' && paidOrders.size < manyOpenOrders) paidOrders.add(order, index);
    return deliver('update', { target: 'order', order, status, token: token(), atMs: advance(order, order.provider) });
  }

  /** Plans an older event of this order for a position after the newer one that comes now. */
  function holdBack(order: OrderState): void {
    const atMs = advance(order, order.provider);
    const dueAt = Math.max(index + spacing + random.below(spacing), held.at(-1)?.dueAt ?? 0);
    held.push({ dueAt, webhook: deliver('late', { target: 'order', order, status: 'updated', token: token(), atMs }) });
  }

  /** As many orders have to end as begin. */
  function closingShare(): number {
    if (openOrders.size < fewOpenOrders) return 0;
    return openOrders.size > manyOpenOrders ? 1 : mix.create / mix.update;
  }

  function chargeback(): Omit<PlannedWebhook, 'index'> | undefined {
    const known = random.next() < 0.6 ? disputes.take(index, random) : undefined;
    if (known) return continueDispute(known);
    const order = paidOrders.take(index, random);
    if (!order) return undefined;
    const disputeId = order.provider === 'adyen' ? token() : `dp_${token()}`;
    const atMs = advance(order, order.provider);
    disputes.add({ order, disputeId, stage: 'opened', openedAtMs: atMs, lastAtMs: atMs }, index);
    const event = { order, disputeId, stage: 'opened', token: token(), atMs, openedAtMs: atMs } as const;
    return deliver('chargeback', { target: 'dispute', ...event });
  }

  function continueDispute(dispute: DisputeState): Omit<PlannedWebhook, 'index'> {
    const { order, disputeId, openedAtMs } = dispute;
    const atMs = advance(dispute, order.provider);
    const stage = dispute.stage === 'opened' ? 'updated' : random.next() < 0.4 ? 'won' : 'lost';
    if (stage === 'updated') {
      dispute.stage = stage;
      disputes.add(dispute, index);
    }
    return deliver('chargeback', { target: 'dispute', order, disputeId, stage, token: token(), atMs, openedAtMs });
  }

  /** The time of the thing's next change: the present one, and in any case after its last. */
  function advance(thing: { lastAtMs: number }, provider: WorkloadProvider): number {
    thing.lastAtMs = Math.max(nowMs(), thing.lastAtMs + timeStepMs[provider]);
    return thing.lastAtMs;
  }

  function deliver(kind: PlannedWebhook['kind'], event: PlannedEvent): Omit<PlannedWebhook, 'index'> {
    const disputeId = event.target === 'dispute' ? event.disputeId : null;
    const { provider, orderId } = event.order;
    return { kind, provider, ...render(event), orderId, disputeId, occurredAtMs: event.atMs };
  }

  return { next };
}

function weighted(weights: Partial<Record<WorkloadProvider, number>>): (draw: number) => WorkloadProvider {
  const entries = Object.entries(weights) as [WorkloadProvider, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  if (!(total > 0)) throw new Error('providers need a weight above 0');
  return (draw) => {
    let rest = draw * total;
    for (const [provider, weight] of entries) {
      rest -= weight;
      if (rest < 0) return provider;
    }
    return entries.at(-1)![0];
  };
}
