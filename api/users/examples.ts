/** Answers of the document: one user who registered and logged in. */
export const userExample = {
  user_id: 'usr_019de7a2-7f80-7c1e-9b5d-3a1f0c2e4d5b',
  email: 'ada@example.com',
  role: 'customer',
  created_at: '2026-05-05T10:00:00.000Z',
};

export const tokensExample = {
  token_type: 'Bearer',
  access_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…',
  expires_in: 900,
  refresh_token: '6f0e4c53-9d0c-4c1f-8a11-0b9f2f4e5c1f.…',
  user: userExample,
};

const credentials = { email: 'ada@example.com', password: 'mind the difference engine' };

export const credentialExamples = { credentials: { summary: 'An email address and a password', value: credentials } };

export const refreshExamples = {
  token: {
    summary: 'The newest refresh token of the session',
    value: { refresh_token: '6f0e4c53-9d0c-4c1f-8a11-0b9f2f4e5c1f.uMNVhoCQIKOg8OwmXKqNu6ok2v5VcJ2-0d3Y4tqWm0Q' },
  },
};
