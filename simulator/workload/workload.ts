import { type PlannedEvent, type PlannedOrder, render, timeStepMs, type WorkloadProvider } from './events.ts';
import { createPool, type Pool } from './pool.ts';
import { createRandom, createZipf, type Random } from './random.ts';

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
  /** The present time, in place of the start and the interval, where events happen as fast as they are delivered. */
  nowMs?: () => number;
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
 * A provider's deliveries, planned one by one: everything follows from the options, nothing from the answers or from
 * the platform, so that every topology and both drivers get the same bytes. Of a clock, where one is given, follow only
 * the times of the events.
 */
export function createWorkload(options: WorkloadOptions): Workload {
  if (!/^[a-z0-9]{1,16}$/.test(options.run)) throw new Error('run must be 1 to 16 small letters and digits');
  const planner = new Planner(options);
  return { next: () => planner.next() };
}

type Planned = Omit<PlannedWebhook, 'index'>;

class Planner {
  readonly #random: Random;
  readonly #drawUser: (random: Random) => number;
  readonly #drawProvider: (draw: number) => WorkloadProvider;
  readonly #prefix: string;
  readonly #nowMs: () => number;
  readonly #mix: NonNullable<WorkloadOptions['mix']>;
  readonly #duplicates: number;
  /** Of every update that is drawn, this share is held back, so that `late` of all deliveries are late ones. */
  readonly #holdShare: number;
  readonly #spacing: number;
  readonly #openOrders: Pool<OrderState>;
  readonly #paidOrders: Pool<OrderState>;
  readonly #disputes: Pool<DisputeState>;
  readonly #recent: PlannedWebhook[] = [];
  readonly #held: { dueAt: number; webhook: Planned }[] = [];
  #index = 0;
  #serial = 0;
  #updatesOwed = 0;
  #chargebacksOwed = 0;

  constructor(options: WorkloadOptions) {
    const { run, shard = 0, mix = ingestMix, duplicates = 0.02, late = 0.01, spacing = 128 } = options;
    this.#random = createRandom(options.seed, shard);
    this.#drawUser = createZipf(options.users ?? 10_000, options.userSkew ?? 0);
    this.#drawProvider = weighted(options.providers ?? { silvergate: 1 });
    // Capitals separate the parts, since neither a run nor a number in base 36 has any.
    this.#prefix = shard === 0 ? run : `${run}S${shard}`;
    const { startTimeMs, eventIntervalMs = 0.1 } = options;
    this.#nowMs = options.nowMs ?? (() => startTimeMs + Math.floor(this.#index * eventIntervalMs));
    this.#mix = mix;
    this.#duplicates = duplicates;
    this.#holdShare = late === 0 ? 0 : late / (mix.update * (1 - late - duplicates));
    this.#spacing = spacing;
    this.#openOrders = createPool<OrderState>(spacing);
    this.#paidOrders = createPool<OrderState>(spacing);
    this.#disputes = createPool<DisputeState>(spacing);
  }

  next(): PlannedWebhook {
    const webhook: PlannedWebhook = { index: this.#index, ...this.#plan() };
    if (webhook.kind !== 'duplicate') this.#recent[this.#index % recentDeliveries] = webhook;
    this.#index += 1;
    return webhook;
  }

  #plan(): Planned {
    const { create, update, chargeback } = this.#mix;
    if (this.#held.length > 0 && this.#held[0]!.dueAt <= this.#index) return this.#held.shift()!.webhook;
    if (this.#index > 0 && this.#random.next() < this.#duplicates) {
      const original = this.#recent[this.#random.below(Math.min(this.#index, recentDeliveries))];
      if (original) return { ...original, kind: 'duplicate' };
    }
    const draw = this.#random.next() * (update + create + chargeback);
    if (draw < create) return this.#owedUpdate() ?? this.#owedChargeback() ?? this.#create();
    if (draw < create + update) return this.#update() ?? this.#owe('update');
    return this.#chargeback() ?? this.#owe('chargeback');
  }

  /** A run begins with orders only, since nothing else can refer to anything yet; later draws make up for it. */
  #owe(kind: 'update' | 'chargeback'): Planned {
    if (kind === 'update') this.#updatesOwed += 1;
    else this.#chargebacksOwed += 1;
    return this.#create();
  }

  #owedUpdate(): Planned | undefined {
    const webhook = this.#updatesOwed > 0 ? this.#update() : undefined;
    if (webhook) this.#updatesOwed -= 1;
    return webhook;
  }

  #owedChargeback(): Planned | undefined {
    const webhook = this.#chargebacksOwed > 0 ? this.#chargeback() : undefined;
    if (webhook) this.#chargebacksOwed -= 1;
    return webhook;
  }

  #create(): Planned {
    const random = this.#random;
    const order: OrderState = {
      provider: this.#drawProvider(random.next()),
      orderId: `ord_${this.#token()}`,
      userId: `usr_${this.#drawUser(random)}`,
      amountMinor: 100 + random.below(100_000),
      currency: currencies[random.below(currencies.length)]!,
      createdAtMs: this.#nowMs(),
      lastAtMs: this.#nowMs(),
    };
    this.#openOrders.add(order, this.#index);
    const token = this.#token();
    return deliver('new', { target: 'order', order, status: 'created', token, atMs: order.createdAtMs });
  }

  #update(): Planned | undefined {
    const random = this.#random;
    const order = this.#openOrders.take(this.#index, random);
    if (!order) return undefined;
    if (random.next() < this.#holdShare) this.#holdBack(order);
    const status = random.next() < this.#closingShare() ? (random.next() < 0.9 ? 'success' : 'failed') : 'updated';
    if (status === 'updated') this.#openOrders.add(order, this.#index);
    // Only paid orders are charged back; the oldest are forgotten, so that memory stays bounded.
    else if (status === 'success' && this.#paidOrders.size < manyOpenOrders) this.#paidOrders.add(order, this.#index);
    const token = this.#token();
    return deliver('update', { target: 'order', order, status, token, atMs: this.#advance(order, order.provider) });
  }

  /** Plans an older event of this order for a position after the newer one that comes now. */
  #holdBack(order: OrderState): void {
    const atMs = this.#advance(order, order.provider);
    const earliest = this.#index + this.#spacing + this.#random.below(this.#spacing);
    const dueAt = Math.max(earliest, this.#held.at(-1)?.dueAt ?? 0);
    const event = { target: 'order', order, status: 'updated', token: this.#token(), atMs } as const;
    this.#held.push({ dueAt, webhook: deliver('late', event) });
  }

  /** As many orders have to end as begin. */
  #closingShare(): number {
    if (this.#openOrders.size < fewOpenOrders) return 0;
    return this.#openOrders.size > manyOpenOrders ? 1 : this.#mix.create / this.#mix.update;
  }

  #chargeback(): Planned | undefined {
    const known = this.#random.next() < 0.6 ? this.#disputes.take(this.#index, this.#random) : undefined;
    if (known) return this.#continueDispute(known);
    const order = this.#paidOrders.take(this.#index, this.#random);
    if (!order) return undefined;
    const disputeId = order.provider === 'adyen' ? this.#token() : `dp_${this.#token()}`;
    const atMs = this.#advance(order, order.provider);
    this.#disputes.add({ order, disputeId, stage: 'opened', openedAtMs: atMs, lastAtMs: atMs }, this.#index);
    const event = { order, disputeId, stage: 'opened', token: this.#token(), atMs, openedAtMs: atMs } as const;
    return deliver('chargeback', { target: 'dispute', ...event });
  }

  #continueDispute(dispute: DisputeState): Planned {
    const { order, disputeId, openedAtMs } = dispute;
    const atMs = this.#advance(dispute, order.provider);
    const stage = dispute.stage === 'opened' ? 'updated' : this.#random.next() < 0.4 ? 'won' : 'lost';
    if (stage === 'updated') {
      dispute.stage = stage;
      this.#disputes.add(dispute, this.#index);
    }
    const event = { order, disputeId, stage, token: this.#token(), atMs, openedAtMs } as const;
    return deliver('chargeback', { target: 'dispute', ...event });
  }

  /** The time of the thing's next change: the present one, and in any case after its last. */
  #advance(thing: { lastAtMs: number }, provider: WorkloadProvider): number {
    thing.lastAtMs = Math.max(this.#nowMs(), thing.lastAtMs + timeStepMs[provider]);
    return thing.lastAtMs;
  }

  #token(): string {
    return `${this.#prefix}X${(this.#serial++).toString(36)}`;
  }
}

function deliver(kind: PlannedWebhook['kind'], event: PlannedEvent): Planned {
  const disputeId = event.target === 'dispute' ? event.disputeId : null;
  const { provider, orderId } = event.order;
  return { kind, provider, ...render(event), orderId, disputeId, occurredAtMs: event.atMs };
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
