import type { Random } from './random.ts';

/** Providers that the workload speaks for, by the names that the API knows them under. */
const workloadProviders = ['silvergate', 'stripe', 'adyen'] as const;
export type WorkloadProvider = (typeof workloadProviders)[number];

/** A webhook's body and where it goes. A body is complete but for Adyen's signature, which lies inside it. */
export interface RenderedWebhook {
  /** Below /webhooks/. */
  path: string;
  body: string;
  providerEventId: string;
}

/** What the provider's own books say of an order; amounts in minor units. */
export interface OrderBooks {
  status: 'created' | 'updated' | 'success' | 'failed';
  authorisedMinor: number;
  capturedMinor: number;
  refundedMinor: number;
}

/** What the provider's own books say of a dispute; the amount is what it has taken from the merchant until now. */
export interface DisputeBooks {
  status: 'open' | 'under_review' | 'won' | 'lost' | 'closed';
  chargedBackMinor: number;
}

/** One change at the provider. Its time is known when it is its turn. */
export interface Step<Books> {
  render(atMs: number): RenderedWebhook;
  /** The books after it. */
  books: Books;
  /** Whether it happens in the instant of the step before, as events do that providers send in pairs. */
  isTogether: boolean;
}

/** All that is going to happen to one order, but for disputes. */
export interface OrderLife {
  orderId: string;
  /** The first one makes the order known. */
  steps: Step<OrderBooks>[];
  /** A change that leaves the books as they are, for providers that send such; it comes between the steps. */
  between: ((books: OrderBooks) => Step<OrderBooks>) | null;
  /** What happens to a dispute of the order, planned when it is opened. */
  dispute(random: Random): DisputeLife;
  /** An event that names another user than the order's; null while the provider has named none. */
  contradict(atStep: number): ((atMs: number) => RenderedWebhook) | null;
}

export interface DisputeLife {
  disputeId: string;
  steps: Step<DisputeBooks>[];
}

export interface OrderGiven {
  userId: string;
  amountMinor: number;
  currency: string;
  random: Random;
  /** Letters and digits; each one is unique in the whole run. */
  token(): string;
}

/** How one provider tells what happens to its payments. */
export interface ProviderTraffic {
  /** The smallest step of the provider's timestamps, in milliseconds. */
  timeStepMs: number;
  planOrder(given: OrderGiven): OrderLife;
  /** An event about none of the orders, where the provider sends such. */
  renderOther: ((token: string, atMs: number, random: Random) => RenderedWebhook) | null;
}

/** Collects the steps of one life; each takes over the books of the one before, but for what it changes. */
export function lifeOf<Books extends object>(start: Books) {
  const steps: Step<Books>[] = [];
  let books = start;
  const add = (render: Step<Books>['render'], change: Partial<Books> = {}, { isTogether = false } = {}): void => {
    books = { ...books, ...change };
    steps.push({ render, books, isTogether });
  };
  return { steps, add };
}

export const nothingBooked: OrderBooks = { status: 'created', authorisedMinor: 0, capturedMinor: 0, refundedMinor: 0 };

/** A part of an amount, of which something is left. @param minor at least 2 */
export function partOf(minor: number, random: Random): number {
  return 1 + random.below(minor - 1);
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export const evidencePeriodMs = 14 * 24 * 3_600_000;
