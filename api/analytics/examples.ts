const range = {
  source: 'clickhouse',
  time_from: '2026-01-01T00:00:00.000Z',
  time_to: '2026-01-31T00:00:00.000Z',
};

export const volumeExample = {
  ...range,
  rows: [
    {
      bucket: '2026-01-30T00:00:00.000Z',
      currency: 'EUR',
      provider: 'silvergate',
      orders_created: 1_200,
      orders_succeeded: 1_050,
      orders_failed: 100,
      success_rate: 0.913,
      volume_minor: 5_239_500,
    },
  ],
};

export const disputesExample = {
  ...range,
  rows: [
    {
      bucket: '2026-01-30T00:00:00.000Z',
      currency: 'EUR',
      provider: 'silvergate',
      disputes_opened: 6,
      disputes_won: 2,
      disputes_lost: 1,
      orders_succeeded: 1_050,
      dispute_rate: 0.0057,
      win_rate: 0.667,
      disputed_minor: 29_940,
    },
  ],
};

export const funnelExample = {
  ...range,
  rows: [
    {
      currency: 'EUR',
      orders_created: 1_200,
      orders_held: 20,
      orders_released: 18,
      orders_capture_requested: 400,
      orders_captured: 395,
      orders_capture_failed: 5,
      orders_succeeded: 1_050,
      orders_failed: 100,
      captured_minor: 1_971_050,
    },
  ],
};

export const topUsersExample = {
  ...range,
  rows: [{ user_id: 'usr_7', orders_created: 12, orders_succeeded: 11, disputes_opened: 1, volume_minor: 54_890 }],
};

export const transfersExample = {
  ...range,
  rows: [
    { bucket: '2026-01-30T00:00:00.000Z', currency: 'EUR', kind: 'top_up', transfers: 40, volume_minor: 400_000 },
    { bucket: '2026-01-30T00:00:00.000Z', currency: 'EUR', kind: 'transfer', transfers: 310, volume_minor: 154_690 },
  ],
};

export const balancesExample = {
  ...range,
  rows: [
    {
      bucket: '2026-01-30T00:00:00.000Z',
      currency: 'EUR',
      postings: 12,
      change_minor: -4_990,
      balance_minor: 5_010,
    },
  ],
};

export const freshnessExample = {
  source: 'clickhouse',
  newest_event_at: '2026-01-31T12:00:00.412Z',
  age_ms: 640,
  window_minutes: 5,
  events_in_window: 3_000,
  stages: [{ stage: 'committed_to_read', events: 3_000, p50_ms: 4.2, p99_ms: 18.5 }],
  slow_stage: null,
};
