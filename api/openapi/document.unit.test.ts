import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../kernel/http/errors.ts';
import { readReasons } from '../../kernel/postgres/read-policies.ts';
import { providerDocuments } from '../../kernel/providers/documents.ts';
import { providers } from '../../kernel/providers/index.ts';
import { readRepository } from '../../test/architecture/source.ts';
import { apiPaths } from './api-paths.ts';
import { openApiDocument } from './document.ts';

interface Content {
  schema: Record<string, unknown>;
  example?: unknown;
  examples?: Record<string, { summary: string; value: unknown }>;
}
interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; schema: { examples?: unknown[] } }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { headers?: Record<string, { $ref: string }>; content?: Record<string, Content> }>;
}

// biome-ignore lint/suspicious/noExplicitAny: the test walks the document as any reader would.
const document = JSON.parse(JSON.stringify(openApiDocument(apiPaths(providers)))) as any;
const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
);

function examplesOf({ example, examples }: Content): unknown[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples ?? {}).map(({ value }) => value)];
}

/** Every content of the operation, with the JSON pointer of its schema. */
function contentsOf(path: string, method: string, operation: Operation) {
  const start = `#/paths/${escaped(path)}/${method}`;
  const requests = Object.entries(operation.requestBody?.content ?? {}).map(([type, content]) => ({
    content,
    pointer: `${start}/requestBody/content/${escaped(type)}/schema`,
  }));
  const answers = Object.entries(operation.responses).flatMap(([status, { content }]) =>
    Object.entries(content ?? {}).map(([type, entry]) => ({
      content: entry,
      pointer: `${start}/responses/${status}/content/${escaped(type)}/schema`,
    })),
  );
  return { requests, answers };
}

function escaped(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

describe('every operation', () => {
  test.each(operations)(
    '$name has a name, a summary, a known tag, and a signature or none on purpose',
    ({ operation }) => {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toBeTruthy();
      expect(document.tags.map((tag: { name: string }) => tag.name)).toEqual(expect.arrayContaining(operation.tags!));
      expect(operation.security).toBeDefined();
      for (const scheme of operation.security!.flatMap(Object.keys)) {
        const expected = scheme === 'bearer' ? { type: 'http', scheme } : { type: 'apiKey', in: 'header' };
        expect(document.components.securitySchemes[scheme]).toMatchObject(expected);
      }
    },
  );

  test.each(operations)('$name shows its body and its answers', ({ path, method, operation }) => {
    const { requests } = contentsOf(path, method, operation);
    for (const { content } of requests) expect(examplesOf(content).length).toBeGreaterThan(0);
    for (const [status, { content }] of Object.entries(operation.responses)) {
      const shown = Object.values(content ?? {}).flatMap(examplesOf);
      expect(shown.length, `an example of ${status}`).toBeGreaterThan(0);
    }
  });

  test('has a name of its own', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(names).toEqual([...new Set(names)]);
  });

  test('refers to nothing that is missing', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([\w-]+)"/g)];
    expect(references.length).toBeGreaterThan(100);
    for (const [, kind, name] of references) expect(document.components[kind!]).toHaveProperty(name!);
  });
});

test('every example is valid by its schema', () => {
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, uuid: true, int32: true, int64: true } });
  ajv.addSchema(document, 'document');
  let count = 0;
  for (const { name, path, method, operation } of operations) {
    const { requests, answers } = contentsOf(path, method, operation);
    for (const { content, pointer } of [...requests, ...answers]) {
      const validate = ajv.compile({ $ref: `document${pointer}` });
      for (const example of examplesOf(content)) {
        validate(example);
        expect(validate.errors, `${name} ${JSON.stringify(example).slice(0, 200)}`).toBeNull();
        count += 1;
      }
    }
  }
  expect(count).toBeGreaterThan(150);
  const order = ajv.compile({ $ref: 'document#/components/schemas/Order' });
  expect(order({ order_id: 'x' }), 'and it tells others apart').toBe(false);
});

describe('webhooks', () => {
  test('the document of each provider describes all of its paths, and no others', () => {
    expect(Object.keys(providerDocuments)).toEqual(providers.map(({ name }) => name));
    for (const { name, paths } of providers) {
      expect(Object.keys(providerDocuments[name]!.paths)).toEqual(Object.keys(paths));
    }
  });

  test('ask for the headers of their signature, all at once; Adyen signs within the body', () => {
    const securityOf = (path: string) => document.paths[`/webhooks/${path}`].post.security;
    expect(securityOf('payments/orders')).toEqual([
      { 'webhook-id': [], 'webhook-timestamp': [], 'webhook-signature': [] },
    ]);
    expect(securityOf('stripe')).toEqual([{ 'stripe-signature': [] }]);
    expect(securityOf('adyen')).toEqual([]);
    expect(document.paths['/webhooks/adyen'].post.description).toContain('hmacSignature');
  });
});

describe('errors', () => {
  const codes = Object.keys(errorCodes) as ErrorCode[];

  test('the codes are a closed list, each with its meaning', () => {
    const { enum: listed, description } = document.components.schemas.ErrorCode;
    expect(listed).toEqual(codes);
    for (const code of codes) expect(description).toContain(`\`${code}\` (${errorCodes[code].status}): `);
  });

  test('each code is answered by an operation, or by any request as the description says', () => {
    const narrowed = operations.flatMap(({ operation }) =>
      Object.entries(operation.responses).flatMap(([status, { content }]) =>
        Object.values(content?.['application/json']?.examples ?? {}).flatMap(({ value }) => {
          const { error } = value as { error?: { code: ErrorCode } };
          if (error) expect(errorCodes[error.code].status).toBe(Number(status));
          return error ? [error.code] : [];
        }),
      ),
    );
    const anywhere = codes.filter((code) => document.info.description.includes(code));
    expect(codes.filter((code) => !narrowed.includes(code) && !anywhere.includes(code))).toEqual([]);
  });

  test('each code is thrown somewhere, so that none is promised that cannot come', async () => {
    const text = (await readRepository('.'))
      .filter((file) => /^(kernel|ledger|api|ingest)\/.*(?<!\.test)\.ts$/.test(file.path))
      .map((file) => file.text)
      .join('\n');
    const thrown = new Set([...text.matchAll(/(?:AppError|fieldRefusal)\(\s*'(\w+)'/g)].map(([, code]) => code));
    expect([...thrown].sort()).toEqual([...codes].sort());
  });
});

test('answers below /api/v1 tell how many requests are left, and those of reads why a node answered', () => {
  for (const { path, method, operation } of operations.filter((entry) => entry.path.startsWith('/api/v1/'))) {
    for (const { headers } of Object.values(operation.responses)) {
      expect(Object.keys(headers!), path).toEqual(expect.arrayContaining(['X-Request-ID', 'RateLimit-Remaining']));
    }
    expect(Object.keys(operation.responses['429']!.headers!)).toContain('Retry-After');
    if (method === 'get') expect(Object.keys(operation.responses['200']!.headers!)).toContain('X-Read-Reason');
  }
  expect(document.components.headers['X-Read-Reason'].schema.enum).toEqual([...readReasons]);
});

test('patterns use nothing that other languages lack', () => {
  const patterns: string[] = [];
  JSON.parse(JSON.stringify(document), (key, value) => {
    if (key === 'pattern') patterns.push(value);
    return value;
  });
  expect(patterns.length).toBeGreaterThan(10);
  expect(patterns.filter((pattern) => pattern.includes('\\p') || pattern.includes('(?<'))).toEqual([]);
  expect(patterns.filter((pattern) => pattern.includes('\\P'))).toEqual([]);
});

test('the envelope of a list is named for the list', () => {
  const lists = Object.keys(document.components.schemas).filter((name) => name.endsWith('List'));
  expect(lists.sort()).toEqual([
    'DisputeList',
    'EventList',
    'EvidenceList',
    'NotificationList',
    'OrderEventList',
    'OrderList',
    'PaymentEventList',
    'PaymentList',
    'PostingList',
    'WebhookEndpointList',
  ]);
  expect(document.components.schemas.OrderList.properties.object).toMatchObject({ enum: ['order_list'] });
});
