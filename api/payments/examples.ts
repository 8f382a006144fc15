const paymentId = '019c1380-5f10-7000-8d2e-3f5a7c9b1e01';
const accountId = 'acc_019c1373-a5dc-7000-8a5f-0c6d2f1e9b01';

export const paymentExample = {
  payment_id: paymentId,
  user_id: 'usr_7',
  account_id: accountId,
  amount_minor: 4_990,
  currency: 'EUR',
  provider: 'card',
  requested_provider: 'card',
  failover: true,
  status: 'pending',
  hold_id: '019c1380-5f10-7000-8d2e-3f5a7c9b1e02',
  action_url: null,
  provider_reference: null,
  failure_reason: null,
  refunded_minor: 0,
  refunding_minor: 0,
  reference: 'ord_1001',
  sequence: 1,
  expires_at: '2026-01-31T13:12:00.000Z',
  created_at: '2026-01-31T12:12:00.000Z',
  updated_at: '2026-01-31T12:12:00.000Z',
};

export const canceledExample = { ...paymentExample, status: 'canceled', sequence: 2 };

export const refundExample = {
  refund_id: '019c1381-2a40-7000-9b3c-4d6e8f0a2c03',
  payment_id: paymentId,
  amount_minor: 1_000,
  currency: 'EUR',
  status: 'pending',
  provider_reference: null,
  failure_reason: null,
  reason: 'damaged',
  created_at: '2026-01-31T12:20:00.000Z',
  updated_at: '2026-01-31T12:20:00.000Z',
};

export const refundedExample = {
  ...paymentExample,
  status: 'completed',
  provider_reference: 'crd_019c1380-6a00-7000-8d2e-3f5a7c9b1e04',
  refunding_minor: 1_000,
  sequence: 4,
  refunds: [refundExample],
};

export const paymentEventExample = {
  event_id: '019c1380-6e08-7000-8d2e-3f5a7c9b1e05',
  payment_id: paymentId,
  sequence: 3,
  kind: 'completed',
  data: {
    provider_reference: 'crd_019c1380-6a00-7000-8d2e-3f5a7c9b1e04',
    transfer_id: '019c1380-6e08-7000-8d2e-3f5a7c9b1e06',
  },
  created_at: '2026-01-31T12:12:03.848Z',
};

export const paymentExamples = {
  card: {
    summary: 'By card',
    value: { account_id: accountId, amount_minor: 4_990, currency: 'EUR', reference: 'ord_1001' },
  },
  wallet: {
    summary: 'By wallet only',
    value: { account_id: accountId, amount_minor: 4_990, currency: 'EUR', provider: 'wallet', failover: false },
  },
};

export const refundExamples = {
  partial: { summary: 'A part of it', value: { amount_minor: 1_000, reason: 'damaged' } },
  full: { summary: 'All that is left', value: {} },
};

export const cancelExamples = { cancel: { summary: 'Cancel it', value: {} } };
