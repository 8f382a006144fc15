// Longer than 300 lines because one server answers for every rule of the document.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZodError, z } from 'zod';
import { providers } from '../../kernel/providers/index.ts';
import { texts, values } from '../../test/api/boundary-values.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';

/*
 * The served document is held against the API: what its rules refuse is answered 400, what they let through is not.
 * The texts and values are the same for every field, so that each rule meets many values that were not made for it.
 */

interface Parameter {
  in: 'query' | 'path' | 'header';
  name: string;
  required?: boolean;
  schema: Record<string, unknown>;
}
interface Operation {
  method: string;
  path: string;
  parameters: Parameter[];
  body?: Record<string, unknown>;
}
interface Difference {
  where: string;
  given: unknown;
  document: 'accepts' | 'refuses';
  api: number | string;
}

const ajv = new Ajv2020({ strict: false });
ajv.addFormat('date-time', (text) => new Date(text).getUTCDate() > 0 && daysFit(text));
ajv.addFormat('uuid', (text) => z.uuid().safeParse(text).success);

let api: RunningApi;
let operations: Operation[];

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
  const { body } = await api.call('GET', '/openapi.json');
  operations = Object.entries<Record<string, Record<string, unknown>>>(body.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      parameters: (operation.parameters ?? []) as Parameter[],
      body: bodyOf(operation),
    })),
  ) as Operation[];
});
afterAll(() => api.close());

function bodyOf(operation: Record<string, unknown>): Record<string, unknown> | undefined {
  const { content } = (operation.requestBody ?? {}) as { content?: Record<string, { schema: object }> };
  return content?.['application/json']?.schema as Record<string, unknown> | undefined;
}

/** Date.parse lets the 30th of February pass as a day of March. */
function daysFit(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const resources = (): Operation[] => operations.filter(({ path }) => path.startsWith('/api/v1/'));

/** Bodies that are accepted, by the end of the path; each change starts from one. */
const bodies: Record<string, Record<string, unknown>> = {
  hold: { action: 'set', reason: 'risk' },
  capture: { amount_minor: 1, currency: 'EUR', idempotency_key: 'k' },
  evidence: { fields: { a: 'b' }, files: [{ name: 'a', content_type: 'text/plain', content_base64: 'YWJj' }] },
  submit: {},
  replay: {},
  preferences: { language: 'de', email: true, webhook: false },
  'webhook-endpoints': { url: 'https://shop.example.com/hook', all_users: false },
  accounts: { currency: 'EUR', kind: 'wallet', user_id: 'u', overdraft_limit_minor: 0 },
  status: { status: 'frozen' },
  'top-ups': { amount_minor: 1, currency: 'EUR', reference: 'r' },
  withdrawals: { amount_minor: 1, currency: 'EUR' },
  holds: { amount_minor: 1, currency: 'EUR' },
  transfers: {
    from_account_id: 'a',
    to_account_id: 'b',
    amount_minor: 1,
    currency: 'EUR',
    to_currency: 'USD',
    rate: '1.5',
    reference: 'r',
  },
  payments: {
    account_id: 'a',
    amount_minor: 1,
    currency: 'EUR',
    provider: 'card',
    failover: true,
    expires_in_seconds: 60,
    reference: 'r',
  },
  refund: { amount_minor: 1, reason: 'r' },
  cancel: {},
};

/** What an operation needs besides what is asked about. */
let requests = 0;
function neededHeaders(parameters: Parameter[]): Record<string, string> {
  requests += 1;
  const needsKey = parameters.some(({ name }) => name === 'Idempotency-Key');
  return needsKey ? { 'idempotency-key': `request-${requests}` } : {};
}

function bodyFor({ path, method }: Operation): Record<string, unknown> | undefined {
  return method === 'POST' ? bodies[path.split('/').at(-1)!] : undefined;
}

function someId(parameters: Parameter[]): string {
  const isUuid = parameters.some((entry) => entry.in === 'path' && entry.schema.format === 'uuid');
  return isUuid ? '019c1378-39a0-7000-9c1b-5e1f3a7d2c02' : 'x';
}

const neededQuery: Readonly<Record<string, string>> = { currency: 'EUR', account_id: 'acct_1' };

/** Status of the operation, with what it needs and is not about. */
async function ask(
  { method, path, parameters }: Operation,
  given: { query?: [string, string][]; id?: string; headers?: Record<string, string>; body?: unknown },
): Promise<{ status: number; code?: string }> {
  const query = new URLSearchParams(given.query);
  const source = parameters.some(({ name }) => name === 'source');
  if (source && !query.has('source')) query.set('source', 'postgres');
  for (const { name, required } of parameters)
    if (required && neededQuery[name] !== undefined && !query.has(name)) query.set(name, neededQuery[name]);
  const url = `${path.replace('{id}', encodeURIComponent(given.id ?? someId(parameters)))}?${query}`;
  const answer = await api.call(method, url.replace(/\?$/, ''), {
    ...(given.body !== undefined && { body: given.body }),
    headers: { ...neededHeaders(parameters), ...given.headers },
  });
  return { status: answer.status, code: answer.body.error?.code };
}

/** A value of a query as the schema's type has it; what is no number stays a text, and is none for the document. */
function typed(schema: Record<string, unknown>, text: string): unknown {
  if (schema.type === 'array') return [text];
  return schema.type === 'integer' && /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : text;
}

/** The other bound of a range, where one is asked for: document and API agree on ranges in words only. */
function otherBound(name: string, text: string): [string, string][] {
  const time = Date.parse(text);
  if (!name.startsWith('time_') || Number.isNaN(time) || text < '1970') return [];
  const hour = 3_600_000;
  return name === 'time_from'
    ? [['time_to', new Date(Math.min(time + hour, 253_402_300_799_000)).toISOString()]]
    : [['time_from', new Date(Math.max(0, time - hour)).toISOString()]];
}

/** Whether API and document say the same, but for what the document can only say in words. */
function compare(where: string, given: unknown, accepted: boolean, answer: { status: number; code?: string }) {
  const refused = answer.status === 400 || answer.status === 413;
  // A cursor that was not issued here looks like one that was.
  if (accepted !== refused || (accepted && answer.code === 'invalid_cursor')) return [];
  return [{ where, given, document: accepted ? 'accepts' : 'refuses', api: answer.status } satisfies Difference];
}

describe('parameters', () => {
  test('the values of each query parameter', { timeout: 120_000 }, async () => {
    const differences: Difference[] = [];
    for (const operation of resources()) {
      for (const { name, schema } of operation.parameters.filter((parameter) => parameter.in === 'query')) {
        const validate = ajv.compile(schema);
        const asked = [...texts, ...((schema.enum ?? []) as string[])].map(async (text) => {
          // Words of the document: leading zeros of a number.
          if (text === '00' && schema.type === 'integer') return [];
          // Without a ClickHouse the other source is away, whatever it is asked.
          if (name === 'source' && text === 'clickhouse') return [];
          const answer = await ask(operation, { query: [[name, text], ...otherBound(name, text)] });
          return compare(`${operation.path} ?${name}`, text, validate(typed(schema, text)), answer);
        });
        differences.push(...(await Promise.all(asked)).flat());
      }
    }
    expect(differences).toEqual([]);
  });

  test('a parameter that is no list is refused when it is repeated, and so is an unknown one', async () => {
    const differences: unknown[] = [];
    for (const operation of resources()) {
      const queries = operation.parameters.filter((parameter) => parameter.in === 'query');
      for (const { name, schema } of queries) {
        const text = schema.type === 'array' ? 'x' : String(schema.default ?? (schema.enum as string[])?.[0] ?? 'x');
        const { status } = await ask(operation, { query: [name, name].map((same) => [same, text]) });
        if (schema.type !== 'array' && status !== 400) differences.push([operation.path, name, status]);
      }
      if (queries.length === 0) continue;
      const unknown = await ask(operation, { query: [['no_such_parameter', 'x']] });
      if (unknown.status !== 400) differences.push([operation.path, unknown.status]);
    }
    expect(differences).toEqual([]);
  });

  test('ids in paths', { timeout: 60_000 }, async () => {
    const differences: Difference[] = [];
    for (const operation of resources()) {
      const parameter = operation.parameters.find((entry) => entry.in === 'path');
      if (!parameter) continue;
      const validate = ajv.compile(parameter.schema);
      for (const id of texts.filter((text) => text !== '')) {
        const answer = await ask(operation, { id, body: bodyFor(operation) });
        differences.push(...compare(`${operation.method} ${operation.path}`, id, validate(id), answer));
      }
    }
    expect(differences).toEqual([]);
  });

  test('Idempotency-Key', async () => {
    const differences: Difference[] = [];
    const moving = resources().filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'));
    expect(moving).toHaveLength(6);
    for (const operation of moving) {
      const header = operation.parameters.find(({ name }) => name === 'Idempotency-Key')!;
      expect(header.required).toBe(true);
      const validate = ajv.compile(header.schema);
      for (const text of ['k', 'x'.repeat(255), 'x'.repeat(256), '', 'a b', '~!']) {
        const answer = await ask(operation, { headers: { 'idempotency-key': text }, body: bodyFor(operation) });
        differences.push(...compare(operation.path, text, validate(text), answer));
      }
    }
    expect(differences).toEqual([]);
  });

  test('headers of reads do what they say where they are declared', async () => {
    const differences: Difference[] = [];
    for (const operation of resources()) {
      const header = operation.parameters.find(({ name }) => name === 'X-Read-Consistency');
      if (!header) continue;
      const validate = ajv.compile(header.schema);
      for (const text of ['primary', 'replica', 'session', 'PRIMARY', 'x']) {
        const answer = await ask(operation, { headers: { 'X-Read-Consistency': text } });
        differences.push(...compare(operation.path, text, validate(text), answer));
      }
    }
    expect(differences).toEqual([]);
    const analytics = resources().filter(({ path }) => path.includes('/analytics/'));
    expect(analytics.flatMap(({ parameters }) => parameters.filter((entry) => entry.in === 'header'))).toEqual([]);
    expect(analytics.length).toBeGreaterThan(0);
  });

  test.each(['/events', '/events/export', '/analytics/volume', '/analytics/top-users'])(
    '%s: a range that ends where it begins is refused, as the document says in words',
    async (path) => {
      const operation = operations.find((entry) => entry.path === `/api/v1${path}`)!;
      const time = '2026-01-31T00:00:00Z';
      const query: [string, string][] = [
        ['time_from', time],
        ['time_to', time],
      ];
      expect((await ask(operation, { query })).status).toBe(400);
      const described = operation.parameters.find(({ name }) => name === 'time_to')!.schema.description;
      expect(described).toContain('after time_from');
    },
  );
});

/** `base` with one member changed, removed or added, at every depth. */
function* variants(base: Record<string, unknown>): Generator<Record<string, unknown>> {
  yield base;
  yield { ...base, no_such_member: 1 };
  for (const [name, member] of Object.entries(base)) {
    const { [name]: _removed, ...rest } = base;
    yield rest;
    for (const value of values) yield { ...base, [name]: value };
    const item = Array.isArray(member) ? member[0] : undefined;
    if (item === undefined) continue;
    for (const changed of variants(item)) yield { ...base, [name]: [changed] };
    yield { ...base, [name]: Array(6).fill(item) };
    yield { ...base, [name]: Array(17).fill(item) };
  }
}

describe('bodies', () => {
  test.each(['hold', 'capture', 'evidence', 'submit'])('of POST …/%s', { timeout: 120_000 }, async (end) => {
    const operation = operations.find(({ method, path }) => method === 'POST' && path.endsWith(`/${end}`))!;
    const validate = ajv.compile(operation.body!);
    const differences: Difference[] = [];
    for (const body of variants(bodies[end]!)) {
      differences.push(...compare(end, shown(body), validate(body), await ask(operation, { body })));
    }
    expect(differences).toEqual([]);
  });

  const time = '1970-01-01T00:00:00Z';
  const shared = { provider_event_id: 'e', order_id: 'o', user_id: 'u', currency: 'EUR', amount_minor: 1, meta: {} };
  const item = {
    additionalData: {},
    pspReference: 'P1',
    originalReference: 'P0',
    merchantAccountCode: 'M',
    merchantReference: 'o',
    // Not mapped, so that nothing but the body of every event counts.
    eventCode: 'X',
    eventDate: time,
    reason: 'r',
    success: 'true',
    amount: null,
  };
  test.each<[string, Record<string, unknown>]>([
    ['payments/orders', { ...shared, status: 'created', created_at: time, updated_at: '9999-12-30T00:00:00Z' }],
    [
      'payments/chargebacks',
      { ...shared, dispute_id: 'd', status: 'closed', reason: 'r', occurred_at: time, evidence_due_at: time },
    ],
    ['stripe', { id: 'evt_1', object: 'event', type: 'x.y', created: 1, data: { object: {} } }],
    ['adyen', { live: 'false', notificationItems: [{ NotificationRequestItem: item }] }],
    ['adyen', { live: 'false', notificationItems: [{ NotificationRequestItem: item }], item }],
  ])('of POST /webhooks/%s', (path, base) => {
    const { body } = operations.find((entry) => entry.path === `/webhooks/${path}`)!;
    const validate = ajv.compile(body!);
    const map = providers.map(({ paths }) => paths[path]).find((mapper) => mapper !== undefined)!;
    const differences = [...inEnvelope(base)].filter(isShort).flatMap((variant) => mapped(validate, map, variant));
    expect(differences).toEqual([]);
  });
});

/** Variants of the item in its batch, where the base has one beside it; else of the base. */
function* inEnvelope(base: Record<string, unknown>): Generator<Record<string, unknown>> {
  const { item, ...batch } = base as { item?: Record<string, unknown> };
  if (item === undefined) yield* variants(batch);
  else
    for (const NotificationRequestItem of variants(item))
      yield { ...batch, notificationItems: [{ NotificationRequestItem }] };
}

function mapped(validate: ValidateFunction, map: (body: unknown) => unknown, body: unknown): Difference[] {
  const accepted = validate(body);
  try {
    map(body);
    return compare('mapper', shown(body), accepted, { status: 202 });
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    return compare('mapper', shown(body), accepted, { status: 400, code: error.issues[0]!.message });
  }
}

/** How much meta and additionalData may hold in all, the document says in words. */
function isShort(body: unknown): boolean {
  return JSON.stringify(body).length < 10_000;
}

/** Short enough to be read when it fails. */
function shown(body: unknown): string {
  return JSON.stringify(body).slice(0, 300);
}
