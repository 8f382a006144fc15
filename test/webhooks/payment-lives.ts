import { authorise, charge, dispute, modify, type ProviderEvent, refund } from './provider-events.ts';

// Longer than 300 lines because the lives are one list.

/** What clients are shown of an order in the end, as far as the life says anything of it. */
export interface ShownOrder {
  status?: string;
  payment_state?: string;
  user_id?: string;
  amount_minor?: number;
  authorised_minor?: number;
  captured_minor?: number;
  refunded_minor?: number;
}

/** What clients are shown of a dispute in the end. */
export interface ShownDispute {
  status: string;
  user_id?: string;
  amount_minor?: number;
  charged_back_minor: number;
}

export type Life<Shown> = [name: string, events: readonly ProviderEvent[], shown: Shown];

const paid = (minor: number): ShownOrder => ({ status: 'success', amount_minor: minor, captured_minor: minor });

/**
 * Lives of the order `ord_1` as its provider reports them, in the order in which that happened, with what an expert of
 * that provider expects.
 */
export const orderLives: Life<ShownOrder>[] = [
  [
    'Adyen: the shopper is named once, and is the same one where no event names it again',
    [authorise('A1', { additionalData: { shopperReference: 'shopper_1' } }), modify('CAPTURE', 'C1', 'A1')],
    { ...paid(1000), user_id: 'shopper_1' },
  ],
  [
    'Adyen: two captures pay in full',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1', { value: 600 }), modify('CAPTURE', 'C2', 'A1', { value: 400 })],
    paid(1000),
  ],
  [
    'Adyen: one capture of two pays in part',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1', { value: 600 })],
    { status: 'updated', payment_state: 'partially_captured', amount_minor: 1000, captured_minor: 600 },
  ],
  [
    'Adyen: a refused attempt and a smaller one that is paid',
    [
      authorise('A1', { success: false }),
      authorise('A2', { value: 800, at: 1 }),
      modify('CAPTURE', 'C2', 'A2', { value: 800, at: 2 }),
    ],
    paid(800),
  ],
  [
    'Adyen: a gift card and a card',
    [
      authorise('G1', { value: 300 }),
      authorise('A1', { value: 700 }),
      modify('CAPTURE', 'C1', 'G1', { value: 300 }),
      modify('CAPTURE', 'C2', 'A1', { value: 700 }),
    ],
    paid(1000),
  ],
  [
    'Adyen: a capture with a merchantReference of its own',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1', { merchantReference: 'ord_1-shipment-1' })],
    paid(1000),
  ],
  [
    'Adyen: a capture that fails after it had succeeded, in the same second',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1'), modify('CAPTURE_FAILED', 'C1', 'A1')],
    { status: 'failed', captured_minor: 0, authorised_minor: 1000 },
  ],
  [
    'Adyen: a second capture makes good for one that failed',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('CAPTURE_FAILED', 'C1', 'A1', { at: 2 }),
      modify('CAPTURE', 'C2', 'A1', { at: 3 }),
    ],
    paid(1000),
  ],
  [
    'Adyen: a cancellation',
    [authorise('A1'), modify('CANCELLATION', 'X1', 'A1')],
    { status: 'failed', authorised_minor: 0, captured_minor: 0 },
  ],
  [
    'Adyen: a refund in part',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1'), modify('REFUND', 'R1', 'A1', { value: 300, at: 2 })],
    { ...paid(1000), payment_state: 'partially_refunded', refunded_minor: 300 },
  ],
  [
    'Adyen: two equal refunds',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { value: 300, at: 2 }),
      modify('REFUND', 'R2', 'A1', { value: 300, at: 2 }),
    ],
    { ...paid(1000), refunded_minor: 600 },
  ],
  [
    'Adyen: a refund that failed',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { at: 2 }),
      modify('REFUND_FAILED', 'R1', 'A1', { at: 3 }),
    ],
    { ...paid(1000), refunded_minor: 0 },
  ],
  [
    'Adyen: a refund that came back',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { at: 2 }),
      modify('REFUNDED_REVERSED', 'R1', 'A1', { at: 3 }),
    ],
    { ...paid(1000), refunded_minor: 0 },
  ],
  [
    'Stripe: a guest whose customer becomes known',
    [
      charge('charge.failed', { status: 'failed', captured: false }),
      charge('charge.succeeded', { id: 'ch_2', customer: 'cus_1', at: 1 }),
    ],
    { ...paid(1000), user_id: 'cus_1' },
  ],
  [
    'Stripe: metadata.user_id comes later',
    [
      charge('charge.pending', { status: 'pending', captured: false }),
      charge('charge.succeeded', { metadata: { order_id: 'ord_1', user_id: 'usr_1' }, at: 1 }),
    ],
    { ...paid(1000), user_id: 'usr_1' },
  ],
  [
    'Stripe: a failed charge and a larger one that succeeds',
    [
      charge('charge.failed', { status: 'failed', captured: false }),
      charge('charge.succeeded', { id: 'ch_2', amount: 1200, at: 1 }),
    ],
    paid(1200),
  ],
  [
    'Stripe: less is captured than was authorised',
    [
      charge('charge.succeeded', { captured: false, amount_captured: 0 }),
      charge('charge.captured', { amount_captured: 800, at: 1 }),
    ],
    { status: 'success', amount_minor: 1000, captured_minor: 800 },
  ],
  [
    'Stripe: an authorisation expires',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.expired', { captured: false, amount_refunded: 1000, at: 1 }),
    ],
    { status: 'failed', authorised_minor: 0, captured_minor: 0, refunded_minor: 0 },
  ],
  [
    'Stripe: an authorisation that the merchant gives back was never taken',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.refunded', { captured: false, amount_refunded: 1000, at: 1 }),
      refund('refund.created', 're_1', 1000, 'succeeded', 1),
    ],
    { status: 'failed', authorised_minor: 0, captured_minor: 0, refunded_minor: 0 },
  ],
  [
    'Stripe: what a capture in part leaves is released as by a refund, and was never taken',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.captured', { amount_captured: 600, amount_refunded: 400, at: 1 }),
      refund('refund.created', 're_1', 400, 'succeeded', 1),
      charge('charge.refunded', { amount_captured: 600, amount_refunded: 500, at: 2 }),
    ],
    { status: 'success', amount_minor: 1000, captured_minor: 600, refunded_minor: 100 },
  ],
  [
    'Stripe: refunds in part, two of them equal, one failed',
    [
      charge('charge.succeeded', {}),
      refund('refund.created', 're_1', 200, 'succeeded', 1),
      refund('refund.created', 're_2', 200, 'succeeded', 1),
      refund('refund.created', 're_3', 100, 'pending', 2),
      refund('refund.failed', 're_3', 100, 'failed', 3),
    ],
    { ...paid(1000), refunded_minor: 400 },
  ],
  [
    'Stripe: only the charge says what was refunded',
    [
      charge('charge.succeeded', {}),
      charge('charge.refunded', { amount_refunded: 200, at: 1 }),
      charge('charge.refunded', { amount_refunded: 500, at: 2 }),
    ],
    { ...paid(1000), refunded_minor: 500 },
  ],
  [
    'Stripe: the charge says so, and one refund fails later',
    [
      charge('charge.succeeded', {}),
      charge('charge.refunded', { amount_refunded: 500, at: 1 }),
      refund('refund.failed', 're_1', 300, 'failed', 2),
    ],
    { ...paid(1000), refunded_minor: 200 },
  ],
  [
    'Stripe: a refund that begins after the last sum is added to it',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.captured', { amount_captured: 600, amount_refunded: 400, at: 1 }),
      refund('refund.created', 're_1', 100, 'pending', 2),
      refund('refund.updated', 're_1', 100, 'succeeded', 3),
      refund('refund.created', 're_2', 50, 'pending', 2),
      refund('refund.failed', 're_2', 50, 'failed', 4),
    ],
    { status: 'success', captured_minor: 600, refunded_minor: 100 },
  ],
  [
    'Adyen: within microseconds a capture and its failure',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1', { eventDate: '2026-01-01T00:01:00.000900Z' }),
      modify('CAPTURE_FAILED', 'C1', 'A1', { eventDate: '2026-01-01T00:01:00.000100Z' }),
    ],
    { status: 'failed', captured_minor: 0, authorised_minor: 1000 },
  ],
  [
    'Adyen: a capture that is dated before its order',
    [authorise('A1', { at: 5 }), modify('CAPTURE', 'C1', 'A1', { at: 2 })],
    paid(1000),
  ],
  [
    'any: a time in the year 9999 rules nothing',
    [
      authorise('A1', { eventDate: '9999-12-31T23:59:59Z' }),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { value: 1000, at: 2 }),
    ],
    { ...paid(1000), refunded_minor: 1000 },
  ],
];

/** Lives of the order's dispute, `D1` or `du_1`. */
export const disputeLives: Life<ShownDispute>[] = [
  [
    'Adyen: a chargeback without the shopper, of more than the order',
    [
      authorise('A1', { additionalData: { shopperReference: 'shopper_1' } }),
      modify('CHARGEBACK', 'D1', 'A1', { value: 1015 }),
    ],
    { status: 'open', charged_back_minor: 1015, user_id: 'shopper_1' },
  ],
  [
    'Adyen: reversed',
    [authorise('A1'), modify('CHARGEBACK', 'D1', 'A1'), modify('CHARGEBACK_REVERSED', 'D1', 'A1', { at: 2 })],
    { status: 'under_review', charged_back_minor: 0 },
  ],
  [
    'Adyen: won, and lost by a second chargeback',
    [
      authorise('A1'),
      modify('CHARGEBACK', 'D1', 'A1'),
      modify('CHARGEBACK_REVERSED', 'D1', 'A1', { at: 2, additionalData: { disputeStatus: 'Won' } }),
      modify('SECOND_CHARGEBACK', 'D1', 'A1', { at: 3 }),
    ],
    { status: 'lost', charged_back_minor: 1000 },
  ],
  [
    'Stripe: the money goes, and comes back after the dispute was closed',
    [
      charge('charge.succeeded', {}),
      dispute('charge.dispute.created', { at: 1 }),
      dispute('charge.dispute.funds_withdrawn', { at: 1 }),
      dispute('charge.dispute.closed', { status: 'won', at: 2 }),
      dispute('charge.dispute.funds_reinstated', { status: 'won', at: 3 }),
    ],
    { status: 'won', charged_back_minor: 0 },
  ],
  [
    'Stripe: a warning that costs nothing',
    [
      charge('charge.succeeded', {}),
      dispute('charge.dispute.created', { status: 'warning_needs_response', at: 1 }),
      dispute('charge.dispute.closed', { status: 'warning_closed', at: 2 }),
    ],
    { status: 'closed', charged_back_minor: 0 },
  ],
  [
    'Stripe: about more than the order',
    [
      charge('charge.succeeded', {}),
      dispute('charge.dispute.created', { amount: 1015, at: 1 }),
      dispute('charge.dispute.funds_withdrawn', { amount: 1015, at: 1 }),
    ],
    { status: 'open', amount_minor: 1015, charged_back_minor: 1015 },
  ],
];
