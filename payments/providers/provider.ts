import type { PaymentProviderName } from '../../kernel/contract/status.ts';

export interface ChargeRequest {
  /** The payment's id: the provider charges once for it, however often it is asked. */
  key: string;
  amountMinor: bigint;
  currency: string;
}

export interface RefundRequest extends ChargeRequest {
  /** Of the payment. */
  paymentKey: string;
}

/** What is known after a provider was asked. */
export type Outcome =
  | { status: 'completed'; reference: string }
  | { status: 'declined'; reason: string }
  /** It will never be charged: the key was canceled at the provider. */
  | { status: 'canceled' }
  | { status: 'waits_for_payer'; actionUrl: string }
  /** The provider knows nothing under the key. */
  | { status: 'absent' }
  /** It may have happened or not. */
  | { status: 'unknown'; reason: string }
  /** It was not asked: its breaker is open. */
  | { status: 'away' };

/** One of those who move money outside. No method throws. */
export interface PaymentProvider {
  readonly name: PaymentProviderName;
  /** Whether requests are kept away from it. */
  isAway(): boolean;
  /** Sends a charge, or goes on with it where the provider has a part of it. */
  charge(request: ChargeRequest): Promise<Outcome>;
  /** Asks what became of a charge; goes on with it where all that is left is to take the money. */
  ask(request: ChargeRequest): Promise<Outcome>;
  /** Sees to it that the key is never charged, unless it was already. */
  cancel(request: ChargeRequest): Promise<Outcome>;
  refund(request: RefundRequest): Promise<Outcome>;
  askRefund(request: RefundRequest): Promise<Outcome>;
}
