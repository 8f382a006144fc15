import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed, type SeedDispute } from '../../test/api/seed.ts';
import { type SimulatedProvider, startProvider } from '../../test/api/simulated-provider.ts';
import { oneServerDisputes } from './store/one-server.ts';
import { submitEvidence } from './submit.ts';

let provider: SimulatedProvider;
let api: RunningApi;
let seed: ReturnType<typeof createSeed>;
let count = 0;

beforeAll(async () => {
  provider = await startProvider({ timeoutMs: 300 });
  api = await startApi({ topology: 'partitioned', provider: provider.client });
  seed = createSeed(api.webhookPool, 'partitioned');
});

afterEach(() => provider.setFaults({}));

afterAll(async () => {
  await api.close();
  await provider.close();
});

async function newDispute(dispute: Partial<SeedDispute> = {}): Promise<string> {
  const number = ++count;
  await seed.order({ orderId: `ord_${number}`, userId: `user_${number}` });
  await seed.dispute({ disputeId: `dp_${number}`, orderId: `ord_${number}`, ...dispute });
  return `dp_${number}`;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const note = { name: 'note.txt', content_type: 'text/plain', content_base64: base64('It was delivered.') };

const add = (disputeId: string, body: unknown): Promise<ApiAnswer> =>
  api.call('POST', `/api/v1/disputes/${disputeId}/evidence`, { body });
const submit = (disputeId: string): Promise<ApiAnswer> => api.call('POST', `/api/v1/disputes/${disputeId}/submit`);

const kinds = async (disputeId: string): Promise<string[]> =>
  (
    await api.query(
      `select kind from dispute_events e join outbox o using (event_id)
       where dispute_id = $1 and o.event_type = 'dispute.' || kind and o.sequence = e.sequence order by e.sequence`,
      [disputeId],
    )
  ).map((row) => String(row.kind));

describe('reads', () => {
  test('a dispute is shown', async () => {
    const disputeId = await newDispute();
    const { body, headers } = await api.call('GET', `/api/v1/disputes/${disputeId}`);
    expect(body).toMatchObject({
      object: 'dispute',
      data: { dispute_id: disputeId, status: 'open', reason: 'fraud', amount_minor: 500, submitted_at: null },
    });
    expect(headers.get('x-read-node')).toBe('primary');
  });

  test('lists filter and page', async () => {
    await seed.order({ orderId: 'ord_many', userId: 'user_many' });
    for (const disputeId of ['m1', 'm2', 'm3']) {
      await seed.dispute({ disputeId, orderId: 'ord_many', ...(disputeId === 'm2' && { status: 'lost' }) });
    }
    const list = async (query: string) => (await api.call('GET', `/api/v1/disputes?${query}`)).body;
    const ids = (body: { data: { dispute_id: string }[] }) => body.data.map((row) => row.dispute_id);
    expect(ids(await list('order_id=ord_many&sort=created_at'))).toEqual(['m1', 'm2', 'm3']);
    expect(ids(await list('user_id=user_many&status=lost'))).toEqual(['m2']);
    const first = await list('user_id=user_many&limit=2');
    expect(ids(first)).toEqual(['m3', 'm2']);
    const second = await list(`user_id=user_many&limit=2&cursor=${first.page.next_cursor}`);
    expect({ ids: ids(second), ...second.page }).toEqual({ ids: ['m1'], has_more: false, next_cursor: null });
  });

  test.each(['status=created', 'limit=201', 'order_id=a%20b', 'sort=reason', 'x=1', 'cursor=forged'])(
    'GET /disputes?%s is refused',
    async (query) => {
      expect((await api.call('GET', `/api/v1/disputes?${query}`)).status).toBe(400);
    },
  );

  test('unknown disputes are 404, malformed ids 400, other methods 405', async () => {
    for (const path of ['', '/evidence']) {
      expect((await api.call('GET', `/api/v1/disputes/none${path}`)).status).toBe(404);
      expect((await api.call('GET', `/api/v1/disputes/a%20b${path}`)).status).toBe(400);
      expect((await api.call('DELETE', `/api/v1/disputes/none${path}`)).status).toBe(405);
    }
    expect((await submit('none')).status).toBe(404);
    expect((await add('none', { fields: { a: 'b' } })).status).toBe(404);
    expect((await api.call('GET', '/api/v1/disputes/none/submit')).headers.get('allow')).toBe('POST');
  });
});

describe('evidence', () => {
  test('is stored with its files and an event, and listed without the contents', async () => {
    const disputeId = await newDispute();
    const { status, body, headers } = await add(disputeId, { fields: { shipping_carrier: 'DHL' }, files: [note] });
    expect(status).toBe(201);
    expect(headers.get('x-consistency-token')).toMatch(/^v2\./);
    const sha256 = createHash('sha256').update('It was delivered.').digest('hex');
    const file = { name: 'note.txt', content_type: 'text/plain', size_bytes: 17, sha256 };
    expect(body.data).toMatchObject({ dispute_id: disputeId, fields: { shipping_carrier: 'DHL' }, files: [file] });
    await add(disputeId, { fields: { refund_policy: 'none' } });
    const listed = await api.call('GET', `/api/v1/disputes/${disputeId}/evidence`);
    expect(listed.body).toMatchObject({ data: [body.data, { files: [] }], page: { has_more: false } });
    expect(JSON.stringify(listed.body)).not.toContain(note.content_base64);
    expect(await kinds(disputeId)).toEqual(['webhook_opened', 'evidence_added', 'evidence_added']);
    const [event] = await api.query(
      "select data from dispute_events where kind = 'evidence_added' and dispute_id = $1",
      [disputeId],
    );
    expect(JSON.stringify(event)).not.toContain('DHL');
  });

  test.each([
    ['nothing', {}],
    ['empty fields', { fields: {}, files: [] }],
    ['a field in capitals', { fields: { Carrier: 'x' } }],
    ['a field that is no text', { fields: { carrier: 1 } }],
    ['an empty field', { fields: { carrier: '' } }],
    ['a long field', { fields: { carrier: 'x'.repeat(20_001) } }],
    [
      'too much text',
      { fields: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`f${i}`, 'x'.repeat(19_999)])) },
    ],
    ['many fields', { fields: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`f${i}`, 'x'])) }],
    ['a card number', { fields: { note: 'card 4111 1111 1111 1111' } }],
    ['a card secret', { fields: { cvv: '123' } }],
    ['an unknown key', { fields: { a: 'b' }, note: 'x' }],
    ['a path as file name', { files: [{ ...note, name: '../note.txt' }] }],
    ['a control character in the name', { files: [{ ...note, name: 'a\nb' }] }],
    ['an unknown type', { files: [{ ...note, content_type: 'text/html' }] }],
    ['a prototype as type', { files: [{ ...note, content_type: 'constructor' }] }],
    ['content of another type', { files: [{ ...note, content_type: 'application/pdf' }] }],
    ['what is not base64', { files: [{ ...note, content_base64: 'a b' }] }],
    ['an empty file', { files: [{ ...note, content_base64: '' }] }],
    ['a card number in a file', { files: [{ ...note, content_base64: base64('4111111111111111') }] }],
    ['a large file', { files: [{ ...note, content_base64: base64('x'.repeat(2 * 1024 * 1024 + 1)) }] }],
    ['many files', { files: Array.from({ length: 6 }, () => note) }],
    ['an unknown key of a file', { files: [{ ...note, url: 'http://127.0.0.1' }] }],
  ])('with %s is refused', async (_name, body) => {
    const disputeId = await newDispute();
    expect((await add(disputeId, body)).status).toBe(400);
    expect(await kinds(disputeId)).toEqual(['webhook_opened']);
  });

  test('a body over the limit is 413', async () => {
    const rawBody = `{"fields":{"a":"${'x'.repeat(9 * 1024 * 1024)}"}}`;
    expect((await api.call('POST', '/api/v1/disputes/dp_1/evidence', { rawBody })).status).toBe(413);
  });

  test('a dispute holds so many bytes and no more, though several come at once', async () => {
    const disputeId = await newDispute();
    const files = [{ ...note, content_base64: base64('x'.repeat(1024 * 1024)) }];
    const answers = await Promise.all(Array.from({ length: 7 }, () => add(disputeId, { files })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 201, 201, 201, 201, 413, 413]);
  });

  test.each(['won', 'lost', 'closed', 'canceled'] as const)('of a dispute that is %s is 409', async (status) => {
    const disputeId = await newDispute({ status });
    expect((await add(disputeId, { fields: { a: 'b' } })).body.error.code).toBe('dispute_final');
    expect((await submit(disputeId)).body.error.code).toBe('dispute_final');
  });
});

describe('submission', () => {
  async function withEvidence(): Promise<string> {
    const disputeId = await newDispute();
    await add(disputeId, { fields: { shipping_carrier: 'DHL' }, files: [note] });
    return disputeId;
  }

  test('sends the evidence once, with its files', async () => {
    const disputeId = await withEvidence();
    const { status, body, headers } = await submit(disputeId);
    expect(status).toBe(202);
    expect(headers.get('x-consistency-token')).toMatch(/^v2\./);
    expect(body.data).toMatchObject({ status: 'submitted', sequence: 3, submitted_at: expect.any(String) });
    const [sent] = provider.representmentsOf(disputeId);
    const sha256 = createHash('sha256').update('It was delivered.').digest('hex');
    expect(sent).toMatchObject({ files: [{ name: 'note.txt', sha256 }] });
    expect(await kinds(disputeId)).toEqual(['webhook_opened', 'evidence_added', 'evidence_submitted']);
    const [event] = await api.query(
      "select data from dispute_events where kind = 'evidence_submitted' and dispute_id = $1",
      [disputeId],
    );
    expect(event!.data).toEqual({
      after: { status: 'submitted', reason: 'fraud', amount_minor: 500, currency: 'EUR' },
      representment: sent!.representment_id,
      evidence_ids: sent!.evidence_ids,
    });
  });

  test('is 409 afterwards, for evidence as well', async () => {
    const disputeId = await withEvidence();
    await submit(disputeId);
    expect((await submit(disputeId)).body.error.code).toBe('already_submitted');
    expect((await add(disputeId, { fields: { a: 'b' } })).body.error.code).toBe('already_submitted');
  });

  test('without evidence is 422', async () => {
    expect((await submit(await newDispute())).body.error.code).toBe('evidence_missing');
  });

  test('takes {} or no body, and nothing else', async () => {
    const disputeId = await withEvidence();
    const path = `/api/v1/disputes/${disputeId}/submit`;
    expect((await api.call('POST', path, { body: { force: true } })).status).toBe(400);
    expect((await api.call('POST', path, { rawBody: 'x', headers: { 'content-type': 'text/plain' } })).status).toBe(
      415,
    );
    expect((await api.call('POST', path, { body: {} })).status).toBe(202);
  });

  test('ten at once are one representment and one event', async () => {
    const disputeId = await withEvidence();
    provider.setFaults({ latency_ms: 50 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => submit(disputeId)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([202, ...Array.from({ length: 9 }, () => 409)]);
    expect(provider.representmentsOf(disputeId)).toHaveLength(1);
    expect((await kinds(disputeId)).filter((kind) => kind === 'evidence_submitted')).toHaveLength(1);
  });

  test('an unknown outcome is 503, and the repetition finishes it with what was sent first', async () => {
    const disputeId = await withEvidence();
    provider.setFaults({ timeout_after_accept_rate: 1, error_rate: 0 });
    expect((await submit(disputeId)).status).toBe(202);
    const other = await withEvidence();
    provider.setFaults({ reset_rate: 1 });
    const lost = await submit(other);
    expect({ status: lost.status, code: lost.body.error.code }).toEqual({ status: 503, code: 'provider_unavailable' });
    expect(await kinds(other)).toEqual(['webhook_opened', 'evidence_added']);
    provider.setFaults({});
    await provider.client.represent(other, []);
    const sent = provider.representmentsOf(other);
    expect((await submit(other)).status).toBe(202);
    expect(provider.representmentsOf(other)).toEqual(sent);
  });

  test('a decision that comes meanwhile stays', async () => {
    const disputeId = await withEvidence();
    const decided = {
      ...provider.client,
      represent: async (...given: Parameters<typeof provider.client.represent>) => {
        await seed.dispute({ disputeId, orderId: disputeId.replace('dp', 'ord'), status: 'won' });
        return provider.client.represent(...given);
      },
    };
    const deps = { disputes: oneServerDisputes(api.pool), provider: decided, now: () => new Date() };
    const { result } = await submitEvidence(deps, { disputeId, requestId: 'test' });
    expect(result).toMatchObject({ status: 'won', submitted_at: expect.any(Date) });
  });
});
