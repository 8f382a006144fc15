export const disputeExample = {
  dispute_id: 'dp_2001',
  order_id: 'ord_1001',
  user_id: 'usr_7',
  status: 'open',
  reason: 'fraudulent',
  amount_minor: 4_990,
  currency: 'EUR',
  charged_back_minor: 4_990,
  sequence: 1,
  provider: 'silvergate',
  provider_updated_at: '2026-02-10T09:30:00.000Z',
  opened_at: '2026-02-10T09:30:00.000Z',
  evidence_due_at: '2026-02-24T23:59:59.000Z',
  submitted_at: null,
  closed_at: null,
  created_at: '2026-02-10T09:30:00.250Z',
  updated_at: '2026-02-10T09:30:00.250Z',
};

export const submittedDisputeExample = {
  ...disputeExample,
  status: 'under_review',
  sequence: 3,
  submitted_at: '2026-02-12T10:00:00.000Z',
  updated_at: '2026-02-12T10:00:00.000Z',
};

export const evidenceExample = {
  evidence_id: '019c4a2b-1c00-7000-8d2e-6b0f4c8a7d03',
  dispute_id: 'dp_2001',
  fields: { tracking_number: '1Z999AA10123456784' },
  files: [
    {
      file_id: '019c4a2b-1c00-7000-8d2e-6b0f4c8a7d04',
      name: 'receipt.txt',
      content_type: 'text/plain',
      size_bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
  ],
  created_at: '2026-02-12T09:55:00.000Z',
};

export const evidenceExamples = {
  fieldsAndFile: {
    summary: 'A field and a file',
    value: {
      fields: { tracking_number: '1Z999AA10123456784' },
      files: [{ name: 'receipt.txt', content_type: 'text/plain', content_base64: 'YWJj' }],
    },
  },
};

export const submitExamples = { submit: { summary: 'There is nothing to choose', value: {} } };
