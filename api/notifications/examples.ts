export const preferencesExample = {
  user_id: 'usr_019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  language: 'de',
  email: true,
  webhook: true,
  updated_at: '2026-05-05T10:00:00.000Z',
};

export const preferencesExamples = {
  german: { summary: 'In German, and no mails', value: { language: 'de', email: false } },
};

export const endpointExample = {
  endpoint_id: 'whk_019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  user_id: 'usr_019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  url: 'https://shop.example.com/webhooks/payments',
  all_users: false,
  status: 'active',
  created_at: '2026-05-05T10:00:00.000Z',
};

export const newEndpointExample = { ...endpointExample, secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' };

export const endpointExamples = {
  shop: { summary: 'A shop of one’s own', value: { url: 'https://shop.example.com/webhooks/payments' } },
};

export const notificationExample = {
  notification_id: '019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  type: 'order.paid',
  event_id: '019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5c',
  user_id: 'usr_019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  channel: 'email',
  recipient_id: 'usr_019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  status: 'sent',
  attempts: 1,
  last_error: null,
  occurred_at: '2026-05-05T10:00:00.000Z',
  created_at: '2026-05-05T10:00:00.080Z',
  finished_at: '2026-05-05T10:00:00.120Z',
};

export const replayExamples = { nothing: { summary: 'There is nothing to choose', value: {} } };
