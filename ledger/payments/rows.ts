import type { PaymentEventKind, PaymentProviderName, PaymentStatus } from '../../kernel/contract/status.ts';
import type { NarrowedRow } from '../../kernel/postgres/columns.ts';

export type PaymentRow = NarrowedRow<
  'payments',
  { status: PaymentStatus; provider: PaymentProviderName; charged_by: PaymentProviderName | null }
>;

export type RefundRow = NarrowedRow<'refunds', { status: 'pending' | 'completed' | 'failed' }>;

export type CommandRow = NarrowedRow<
  'payment_commands',
  { operation: 'charge' | 'refund'; status: 'open' | 'dead'; attempts: number }
>;

/** An amount as an event carries it: a bigint before it is stored, what JSON makes of it after. */
type Amount = bigint | number | string;

/** What each kind of event says. */
export interface PaymentFacts {
  created: {
    account_id: string;
    hold_id: string;
    amount_minor: Amount;
    currency: string;
    provider: PaymentProviderName;
    failover: boolean;
    reference: string | null;
    expires_at: string;
  };
  /** Committed before the provider is asked for the first time. */
  processing: { charged_by: PaymentProviderName };
  action_required: { action_url: string };
  completed: { provider_reference: string; transfer_id: string };
  failed: { reason: string };
  canceled: object;
  refund_requested: { refund_id: string; amount_minor: Amount; reason: string | null };
  refunded: { refund_id: string; amount_minor: Amount; provider_reference: string; transfer_id: string };
  refund_failed: { refund_id: string; amount_minor: Amount; reason: string };
}

/** What happened, before it has a number. */
export type PaymentFact = { [Kind in PaymentEventKind]: { kind: Kind; data: PaymentFacts[Kind] } }[PaymentEventKind];

export type PaymentEvent = PaymentFact & {
  event_id: string;
  payment_id: string;
  user_id: string;
  sequence: bigint;
  created_at: Date;
};

/** A payment as its events make it. */
export interface PaymentState {
  payment: PaymentRow;
  /** In the order in which they were asked for. */
  refunds: readonly RefundRow[];
}
