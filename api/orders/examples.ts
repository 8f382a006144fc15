/** Answers of the document: one order that was paid, held and captured. */
export const orderExample = {
  order_id: 'ord_1001',
  user_id: 'usr_7',
  status: 'created',
  amount_minor: 4_990,
  currency: 'EUR',
  payment_state: 'pending',
  authorised_minor: 0,
  captured_minor: 0,
  refunded_minor: 0,
  on_hold: false,
  hold_reason: null,
  sequence: 1,
  provider: 'silvergate',
  provider_updated_at: '2026-01-31T12:00:00.000Z',
  created_at: '2026-01-31T12:00:00.412Z',
  updated_at: '2026-01-31T12:00:00.412Z',
};

export const shownOrderExample = { ...orderExample, attempts: [] };

export const heldOrderExample = {
  ...shownOrderExample,
  on_hold: true,
  hold_reason: 'risk',
  sequence: 2,
  updated_at: '2026-01-31T12:05:00.000Z',
};

export const orderEventExample = {
  event_id: '019c1373-a5dc-7000-8a5f-0c6d2f1e9b01',
  order_id: 'ord_1001',
  user_id: 'usr_7',
  sequence: 1,
  kind: 'webhook_received',
  provider: 'silvergate',
  provider_event_id: 'evt_1001',
  data: { status: 'created', amount_minor: 4_990, currency: 'EUR', channel: 'web' },
  created_at: '2026-01-31T12:00:00.412Z',
};

export const captureExample = {
  capture_id: '019c1378-39a0-7000-9c1b-5e1f3a7d2c02',
  order_id: 'ord_1001',
  amount_minor: 4_990,
  currency: 'EUR',
  status: 'completed',
  provider_reference: 'cap_7f3a91',
  failure_reason: null,
  created_at: '2026-01-31T12:10:00.000Z',
  updated_at: '2026-01-31T12:10:00.180Z',
};

export const holdExamples = {
  set: { summary: 'Set a hold', value: { action: 'set', reason: 'risk' } },
  clear: { summary: 'Clear it', value: { action: 'clear' } },
};

export const captureExamples = {
  capture: {
    summary: 'Capture the whole order',
    value: { amount_minor: 4_990, currency: 'EUR', idempotency_key: 'capture-ord_1001-1' },
  },
};
