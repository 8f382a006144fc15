import type { ProviderDocument } from './document.ts';
import { chargebackBody, orderBody } from './silvergate.ts';

const order = {
  provider_event_id: 'evt_1001',
  order_id: 'ord_1001',
  user_id: 'usr_7',
  status: 'created',
  amount_minor: 4_990,
  currency: 'EUR',
  created_at: '2026-01-31T12:00:00Z',
  updated_at: '2026-01-31T12:00:00Z',
  meta: { channel: 'web' },
};

const chargeback = {
  provider_event_id: 'evt_2001',
  dispute_id: 'dp_2001',
  order_id: 'ord_1001',
  user_id: 'usr_7',
  status: 'opened',
  reason: 'fraudulent',
  amount_minor: 4_990,
  currency: 'EUR',
  occurred_at: '2026-02-10T09:30:00Z',
  evidence_due_at: '2026-02-24T23:59:59Z',
};

export const silvergateDocument: ProviderDocument = {
  signature:
    'Standard Webhooks: `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of ' +
    '`<webhook-id>.<webhook-timestamp>.<raw body>`, under the bytes that follow `whsec_` in the secret as base64. The ' +
    'timestamp is in seconds and at most five minutes away. Several signatures may stand with spaces between.',
  signatureHeaders: {
    'webhook-id': 'Id of the message; the same when it is sent again.',
    'webhook-timestamp': 'Seconds since 1970 when it was sent.',
    'webhook-signature': '`v1,<base64>`; one of them has to be right.',
  },
  paths: {
    'payments/orders': {
      body: orderBody,
      examples: {
        created: { summary: 'A new order', value: order },
        paid: {
          summary: 'It is paid',
          value: { ...order, provider_event_id: 'evt_1002', status: 'success', updated_at: '2026-01-31T12:00:05Z' },
        },
      },
    },
    'payments/chargebacks': {
      body: chargebackBody,
      examples: {
        opened: { summary: 'A chargeback was opened', value: chargeback },
        won: {
          summary: 'It was closed, and won',
          value: {
            ...chargeback,
            provider_event_id: 'evt_2002',
            status: 'closed',
            occurred_at: '2026-03-02T08:00:00Z',
            meta: { outcome: 'won' },
          },
        },
      },
    },
  },
};
