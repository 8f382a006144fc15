import { adyen } from './adyen.ts';
import { Late } from './late.ts';
import type {
  DisputeBooks,
  DisputeLife,
  OrderBooks,
  OrderLife,
  ProviderTraffic,
  RenderedWebhook,
  Step,
  WorkloadProvider,
} from './lives.ts';
import { createPool, type Pool } from './pool.ts';
import { createRandom, createZipf, type Random, weighted } from './random.ts';
import { silvergate } from './silvergate.ts';
import { stripe } from './stripe.ts';

// Longer than 300 lines because the plan is one state, and every option of it is explained here.

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
  /** Share of deliveries that name another user than their order's: the receiver can only set them aside. */
  contradictions?: number;
  /**
   * How many deliveries are made. Only then do events that make an order known arrive late too, since one that never
   * arrived would leave the rest of its order waiting.
   */
  count?: number;
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
  /** `other` is an event that concerns no order. */
  kind: 'new' | 'update' | 'chargeback' | 'duplicate' | 'late' | 'contradiction' | 'other';
  provider: WorkloadProvider;
  /** Below /webhooks/. */
  path: string;
  /** JSON text, to be sent as UTF-8. Adyen's needs its signature put in. */
  body: string;
  providerEventId: string;
  /** As the API names it. Null for an event that concerns no order. */
  orderId: string | null;
  /** Null for events of the order itself. */
  disputeId: string | null;
  /** The provider's books after the event, of the dispute where it is about one; null where it changes none. */
  books: OrderBooks | DisputeBooks | null;
  /** The provider's time of the change; what decides which event is newer. */
  occurredAtMs: number;
}

export interface Workload {
  /** The next delivery; the sequence has no end. */
  next(): PlannedWebhook;
}

/** The mix of the `ingest` scenario. */
const ingestMix = { update: 0.7, create: 0.2, chargeback: 0.1 } as const;

/** Of the deliveries of providers that send them, those that concern no order. */
const otherShare = 0.01;

/** Of the late ones, those that made their order known. */
const lateBeginnings = 0.2;

interface OpenOrder {
  provider: WorkloadProvider;
  life: OrderLife;
  /** How many steps have happened. */
  done: number;
  books: OrderBooks;
  lastAtMs: number;
}

interface OpenDispute {
  order: OpenOrder;
  life: DisputeLife;
  done: number;
  lastAtMs: number;
}

const traffic: Readonly<Record<WorkloadProvider, ProviderTraffic>> = { silvergate, stripe, adyen };
const currencies = ['EUR', 'USD', 'GBP', 'JPY'] as const;
/** Open orders are kept between these numbers by ending fewer or more of them, so that memory stays bounded. */
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
  readonly #contradictions: number;
  /** Not made yet, since the order whose turn it was had named no user that another could contradict. */
  #contradictionsOwed = 0;
  readonly #late: Late<Planned>;
  readonly #openOrders: Pool<OpenOrder>;
  readonly #paidOrders: Pool<OpenOrder>;
  readonly #disputes: Pool<OpenDispute>;
  readonly #recent: PlannedWebhook[] = [];
  readonly #token = (): string => `${this.#prefix}X${(this.#serial++).toString(36)}`;
  #index = 0;
  #serial = 0;
  #updatesOwed = 0;
  #chargebacksOwed = 0;

  constructor(options: WorkloadOptions) {
    const { run, shard = 0, mix = ingestMix, duplicates = 0.02, late = 0.01, spacing = 128 } = options;
    this.#random = createRandom(options.seed, shard);
    this.#drawUser = createZipf(options.users ?? 10_000, options.userSkew ?? 0);
    this.#drawProvider = weighted<WorkloadProvider>(options.providers ?? { silvergate: 1 });
    // Capitals separate the parts, since neither a run nor a number in base 36 has any.
    this.#prefix = shard === 0 ? run : `${run}S${shard}`;
    const { startTimeMs, eventIntervalMs = 0.1 } = options;
    this.#nowMs = options.nowMs ?? (() => startTimeMs + Math.floor(this.#index * eventIntervalMs));
    this.#mix = mix;
    this.#duplicates = duplicates;
    this.#contradictions = options.contradictions ?? 0;
    const { update } = mix;
    this.#late = new Late({ late, updates: update * (1 - late - duplicates), spacing, count: options.count });
    this.#openOrders = createPool<OpenOrder>(spacing);
    this.#paidOrders = createPool<OpenOrder>(spacing);
    this.#disputes = createPool<OpenDispute>(spacing);
  }

  next(): PlannedWebhook {
    const webhook: PlannedWebhook = { index: this.#index, ...this.#plan() };
    if (webhook.kind !== 'duplicate') this.#recent[this.#index % recentDeliveries] = webhook;
    this.#index += 1;
    this.#late.count();
    return webhook;
  }

  #plan(): Planned {
    const { create, update, chargeback } = this.#mix;
    const held = this.#late.due(this.#index);
    if (held) return { ...held, kind: 'late' };
    if (this.#index > 0 && this.#random.next() < this.#duplicates) {
      const original = this.#recent[this.#random.below(Math.min(this.#index, recentDeliveries))];
      if (original) return { ...original, kind: 'duplicate' };
    }
    if (this.#contradictions > 0 && this.#random.next() < this.#contradictions) this.#contradictionsOwed += 1;
    const contradiction = this.#contradictionsOwed > 0 ? this.#contradict() : undefined;
    if (contradiction) return contradiction;
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
    const provider = this.#drawProvider(random.next());
    const { planOrder, renderOther } = traffic[provider];
    if (renderOther && random.next() < otherShare) {
      const occurredAtMs = this.#nowMs();
      const nothing = { orderId: null, disputeId: null, books: null };
      return { kind: 'other', provider, ...renderOther(this.#token(), occurredAtMs, random), ...nothing, occurredAtMs };
    }
    const life = planOrder({
      userId: `usr_${this.#drawUser(random)}`,
      amountMinor: 100 + random.below(100_000),
      currency: currencies[random.below(currencies.length)]!,
      random,
      token: this.#token,
    });
    const atMs = this.#nowMs();
    const order: OpenOrder = { provider, life, done: 1, books: life.steps[0]!.books, lastAtMs: atMs };
    const introduction = this.#deliver('new', order, life.steps[0]!, atMs);
    const mayBeLate = this.#late.isBounded && life.steps.length > 1 && this.#late.mayHold(this.#index);
    if (!mayBeLate || !this.#late.draws(random, lateBeginnings)) {
      this.#keep(order, this.#index);
      return introduction;
    }
    const dueAt = this.#late.hold(introduction, this.#index, random);
    const overtaking = this.#advanceOrder(order);
    this.#keep(order, dueAt);
    return overtaking;
  }

  #update(): Planned | undefined {
    const order = this.#openOrders.take(this.#index, this.#random);
    if (!order) return undefined;
    if (this.#canHoldBack(order) && this.#late.draws(this.#random, 1)) {
      const isBetween = order.life.between !== null;
      this.#late.hold(this.#advanceOrder(order, isBetween), this.#index, this.#random);
    }
    const webhook = this.#advanceOrder(order);
    this.#keep(order, this.#index);
    return webhook;
  }

  #goesOnBetween({ life }: OpenOrder): boolean {
    return life.between !== null && this.#random.next() >= this.#endingShare();
  }

  /** The order's next change. @param isBetween whether it is one that leaves the books as they are */
  #advanceOrder(order: OpenOrder, isBetween = this.#goesOnBetween(order)): Planned {
    const { life, done } = order;
    const step = isBetween ? life.between!(order.books) : life.steps[done]!;
    if (!isBetween) order.done += 1;
    order.books = step.books;
    return this.#deliver('update', order, step, this.#timeOf(order, order.provider, step));
  }

  /** An order that goes on has another turn; of those that are paid, the first ones are disputed later on. */
  #keep(order: OpenOrder, position: number): void {
    if (order.done < order.life.steps.length) this.#openOrders.add(order, position);
    else if (order.books.status === 'success' && this.#paidOrders.size < manyOpenOrders) {
      this.#paidOrders.add(order, position);
    }
  }

  /** As many orders have to end as begin. */
  #endingShare(): number {
    if (this.#openOrders.size < fewOpenOrders) return 0;
    return this.#openOrders.size > manyOpenOrders ? 1 : this.#mix.create / this.#mix.update;
  }

  /** Whether a change of the order may be held back: another one has to come after it, and it has to be no beginning. */
  #canHoldBack({ life, done }: OpenOrder): boolean {
    return this.#late.mayHold(this.#index) && (life.between !== null || done + 2 <= life.steps.length);
  }

  #contradict(): Planned | undefined {
    const order = this.#openOrders.take(this.#index, this.#random);
    if (!order) return undefined;
    this.#openOrders.add(order, this.#index);
    const render = order.life.contradict(order.done - 1);
    if (!render) return undefined;
    this.#contradictionsOwed -= 1;
    const atMs = this.#nowMs();
    return this.#written('contradiction', order, { ...render(atMs), books: null, disputeId: null }, atMs);
  }

  #chargeback(): Planned | undefined {
    const known = this.#random.next() < 0.6 ? this.#disputes.take(this.#index, this.#random) : undefined;
    if (known) return this.#continueDispute(known);
    const order = this.#paidOrders.take(this.#index, this.#random);
    if (!order) return undefined;
    const life = order.life.dispute(this.#random);
    return this.#continueDispute({ order, life, done: 0, lastAtMs: order.lastAtMs });
  }

  #continueDispute(dispute: OpenDispute): Planned {
    const { order, life } = dispute;
    const step = life.steps[dispute.done]!;
    dispute.done += 1;
    if (dispute.done < life.steps.length) this.#disputes.add(dispute, this.#index);
    const atMs = this.#timeOf(dispute, order.provider, step);
    const { disputeId } = life;
    return this.#written('chargeback', order, { ...step.render(atMs), books: step.books, disputeId }, atMs);
  }

  /** The time of the thing's next change: the present one, and in any case after its last, unless it comes with it. */
  #timeOf(thing: { lastAtMs: number }, provider: WorkloadProvider, { isTogether }: { isTogether: boolean }): number {
    if (isTogether) return thing.lastAtMs;
    thing.lastAtMs = Math.max(this.#nowMs(), thing.lastAtMs + traffic[provider].timeStepMs);
    return thing.lastAtMs;
  }

  #deliver(kind: PlannedWebhook['kind'], order: OpenOrder, step: Step<OrderBooks>, atMs: number): Planned {
    return this.#written(kind, order, { ...step.render(atMs), books: step.books, disputeId: null }, atMs);
  }

  #written(
    kind: PlannedWebhook['kind'],
    { provider, life }: OpenOrder,
    written: RenderedWebhook & Pick<PlannedWebhook, 'books' | 'disputeId'>,
    occurredAtMs: number,
  ): Planned {
    return { kind, provider, ...written, orderId: life.orderId, occurredAtMs };
  }
}
