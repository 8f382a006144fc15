const accountId = 'acc_019c1373-a5dc-7000-8a5f-0c6d2f1e9b01';
const merchantId = 'acc_019c1373-a5dc-7000-8a5f-0c6d2f1e9b02';

export const accountExample = {
  account_id: accountId,
  user_id: 'usr_7',
  currency: 'EUR',
  kind: 'wallet',
  status: 'active',
  overdraft_limit_minor: 0,
  balance_minor: 5_010,
  held_minor: 1_000,
  available_minor: 4_010,
  pending_minor: 0,
  version: 2,
  created_at: '2026-01-31T12:00:00.412Z',
  updated_at: '2026-01-31T12:10:00.180Z',
};

export const balanceExample = {
  account_id: accountId,
  currency: 'EUR',
  balance_minor: 5_010,
  held_minor: 1_000,
  available_minor: 4_010,
  pending_minor: 0,
  version: 2,
  at: null,
};

export const transferExample = {
  transfer_id: '019c1378-39a0-7000-9c1b-5e1f3a7d2c02',
  kind: 'transfer',
  from_account_id: accountId,
  to_account_id: merchantId,
  amount_minor: 4_990,
  currency: 'EUR',
  to_amount_minor: 4_990,
  to_currency: 'EUR',
  rate: null,
  reference: 'ord_1001',
  created_at: '2026-01-31T12:10:00.180Z',
};

export const topUpExample = {
  ...transferExample,
  kind: 'top_up',
  from_account_id: 'external:EUR',
  to_account_id: accountId,
  amount_minor: 10_000,
  to_amount_minor: 10_000,
  reference: null,
};

export const withdrawalExample = {
  ...topUpExample,
  kind: 'withdrawal',
  from_account_id: accountId,
  to_account_id: 'external:EUR',
};

export const postingExample = {
  account_id: accountId,
  sequence: 2,
  transfer_id: transferExample.transfer_id,
  amount_minor: -4_990,
  currency: 'EUR',
  balance_minor: 5_010,
  hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  created_at: '2026-01-31T12:10:00.180Z',
};

export const holdExample = {
  hold_id: '019c1378-39a0-7000-9c1b-5e1f3a7d2c03',
  account_id: accountId,
  amount_minor: 1_000,
  currency: 'EUR',
  status: 'active',
  reference: null,
  created_at: '2026-01-31T12:12:00.000Z',
  updated_at: '2026-01-31T12:12:00.000Z',
};

export const openExamples = {
  wallet: { summary: 'A wallet of the caller', value: { currency: 'EUR' } },
  merchant: { summary: 'An account of a merchant', value: { currency: 'EUR', kind: 'merchant' } },
};

export const statusExamples = { freeze: { summary: 'Freeze it', value: { status: 'frozen' } } };

export const moneyExamples = {
  money: { summary: '100 euros', value: { amount_minor: 10_000, currency: 'EUR' } },
};

export const transferExamples = {
  transfer: {
    summary: 'Pay an order',
    value: {
      from_account_id: accountId,
      to_account_id: merchantId,
      amount_minor: 4_990,
      currency: 'EUR',
      reference: 'ord_1001',
    },
  },
  exchange: {
    summary: 'Into another currency',
    value: {
      from_account_id: accountId,
      to_account_id: merchantId,
      amount_minor: 4_990,
      currency: 'EUR',
      to_currency: 'USD',
      rate: '1.0842',
    },
  },
};
