import type { ProviderDocument } from './document.ts';
import { eventBody } from './stripe.ts';

/** The envelope of https://docs.stripe.com/api/events/object around an object of the API. */
function event(id: string, type: string, created: number, object: Record<string, unknown>) {
  return {
    id,
    object: 'event',
    api_version: '2025-09-30.clover',
    created,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: 'req_8RkJ2mVYcBzVlp', idempotency_key: 'a3f1c7f2-5b1d-4a0e-9f0e-2f9d6f1c7b10' },
    type,
  };
}

/** https://docs.stripe.com/api/charges/object, without the fields that are null. */
const charge = {
  id: 'ch_3PqL2eLkdIwHu7ix0AbCdEfG',
  object: 'charge',
  amount: 4_990,
  amount_captured: 4_990,
  amount_refunded: 0,
  balance_transaction: 'txn_3PqL2eLkdIwHu7ix0QrStUvW',
  billing_details: { email: 'jenny@example.com', name: 'Jenny Rosen', phone: null },
  captured: true,
  created: 1_769_860_800,
  currency: 'eur',
  customer: 'cus_QmXa7dT5nV3k2J',
  description: 'Order ord_3001',
  disputed: false,
  livemode: false,
  metadata: { order_id: 'ord_3001' },
  outcome: { network_status: 'approved_by_network', risk_level: 'normal', type: 'authorized' },
  paid: true,
  payment_intent: 'pi_3PqL2eLkdIwHu7ix0XyZaBcD',
  payment_method: 'pm_1PqL2dLkdIwHu7ixJkLmNoPq',
  payment_method_details: {
    card: { brand: 'visa', country: 'US', exp_month: 12, exp_year: 2030, funding: 'credit', last4: '4242' },
    type: 'card',
  },
  refunded: false,
  status: 'succeeded',
};

/** https://docs.stripe.com/api/disputes/object */
const dispute = {
  id: 'du_1PuR8sLkdIwHu7ixVwXyZaBc',
  object: 'dispute',
  amount: 4_990,
  balance_transactions: [],
  charge: charge.id,
  created: 1_770_715_800,
  currency: 'eur',
  evidence: {},
  evidence_details: { due_by: 1_771_977_599, has_evidence: false, past_due: false, submission_count: 0 },
  is_charge_refundable: false,
  livemode: false,
  metadata: { order_id: 'ord_3001' },
  payment_intent: charge.payment_intent,
  reason: 'fraudulent',
  status: 'needs_response',
};

export const stripeDocument: ProviderDocument = {
  signature:
    '`Stripe-Signature` is `t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA256 of "<t>.<raw body>">`, under the text of ' +
    'the secret, prefix `whsec_` included. The time is at most five minutes away.',
  signatureHeaders: { 'Stripe-Signature': '`t=<seconds>,v1=<hexadecimal digits>`; one of several v1 has to be right.' },
  paths: {
    stripe: {
      body: eventBody,
      examples: {
        chargeSucceeded: {
          summary: 'A charge was paid',
          value: event('evt_3PqL2eLkdIwHu7ix0ChargeOk', 'charge.succeeded', 1_769_860_801, charge),
        },
        chargeFailed: {
          summary: 'A charge was declined, of a customer who is not known',
          value: event('evt_3PqL2eLkdIwHu7ix0ChargeNo', 'charge.failed', 1_769_860_790, {
            ...charge,
            id: 'ch_3PqL2eLkdIwHu7ix1AbCdEfG',
            amount_captured: 0,
            captured: false,
            customer: null,
            failure_code: 'card_declined',
            failure_message: 'Your card was declined.',
            paid: false,
            status: 'failed',
          }),
        },
        chargeRefunded: {
          summary: 'A part of it was refunded',
          value: event('evt_3PqL2eLkdIwHu7ix0ChargeRe', 'charge.refunded', 1_769_947_200, {
            ...charge,
            amount_refunded: 1_000,
          }),
        },
        disputeCreated: {
          summary: 'A dispute was opened',
          value: event('evt_1PuR8sLkdIwHu7ixDispute01', 'charge.dispute.created', 1_770_715_801, dispute),
        },
        unmapped: {
          summary: 'An event that moves nothing is stored too',
          value: event('evt_1PqL2cLkdIwHu7ixCustomer1', 'customer.created', 1_769_860_700, {
            id: charge.customer,
            object: 'customer',
            email: 'jenny@example.com',
          }),
        },
      },
    },
  },
};
