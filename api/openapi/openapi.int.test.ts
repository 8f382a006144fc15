import type { Router } from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';

let api: RunningApi;

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
});

afterAll(() => api.close());

interface Route {
  path: string | string[];
  methods: Record<string, boolean>;
}

/** `get /api/v1/orders/{id}` for every route and method of a router; `.all()` of 405 answers is not a method. */
function mounted(base: string, router: Router): string[] {
  const layers = (router as unknown as { stack: { route?: Route }[] }).stack;
  return layers.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {})
      .filter((method) => method !== '_all')
      .map(
        (method) =>
          `${method} ${base}${[route!.path]
            .flat()
            .join('|')
            .replace(/:(\w+)/g, '{$1}')}`,
      ),
  );
}

function documented(): string[] {
  return Object.entries(api.document.paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method} ${path}`),
  );
}

test('every mounted route and method is documented, and nothing else', () => {
  const routes = api.routers.flatMap(({ base, router }) => mounted(base, router));
  expect([...routes, 'get /metrics'].sort()).toEqual(documented().sort());
  expect(routes).toContain('post /api/v1/orders/{id}/capture');
});

test('every documented path answers its methods, and 405 with Allow to another one', async () => {
  for (const entry of documented()) {
    const [method, pattern] = entry.split(' ') as [string, string];
    const path = pattern.replaceAll(/\{\w+\}/g, 'x');
    const answer = await api.call(method.toUpperCase(), path);
    expect({ entry, status: answer.status }).not.toMatchObject({ status: 405 });
    expect(answer.body.error?.message ?? '').not.toContain('No such path');
    const refused = await api.call('PURGE', path);
    expect({ entry, status: refused.status, code: refused.body.error?.code }).toMatchObject({
      status: 405,
      code: 'method_not_allowed',
    });
    expect(refused.headers.get('allow')?.toLowerCase().split(', ')).toContain(method);
  }
});

test('the document is OpenAPI 3.1 with resolvable references', async () => {
  const { body } = await api.call('GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name!,
  );
  expect(references).toContain('Order');
  for (const name of references) expect(Object.keys(body.components.schemas)).toContain(name);
});

test('path parameters of the document are those of its paths', () => {
  for (const [path, item] of Object.entries(api.document.paths ?? {})) {
    for (const operation of Object.values(item as Record<string, { parameters?: { in: string; name: string }[] }>)) {
      const declared = (operation.parameters ?? []).filter((entry) => entry.in === 'path').map((entry) => entry.name);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  }
});

test('what the document says about an order is what an order looks like', async () => {
  await api.query(
    `insert into orders (order_id, user_id, status, sequence, provider, provider_updated_at)
     values ('o1', 'u1', 'created', 1, 'silvergate', now())`,
  );
  const { body } = await api.call('GET', '/api/v1/orders/o1');
  const schema = api.document.components!.schemas!.OrderWithAttempts as { properties: object };
  expect(Object.keys(body.data).sort()).toEqual(Object.keys(schema.properties).sort());
});

test('the documentation page needs nothing from elsewhere and obeys its content security policy', async () => {
  const page = await api.call('GET', '/docs');
  expect(page.status).toBe(200);
  const html = String(page.body);
  const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
  expect(parts).toEqual(
    expect.arrayContaining(['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js']),
  );
  for (const part of parts) {
    expect(part.startsWith('/docs/')).toBe(true);
    const file = await fetch(api.url + part);
    expect(file.status).toBe(200);
    expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(50);
  }
  expect(html).not.toMatch(/<script>|<style|style=|onload=/);
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain('upgrade-insecure-requests');
  const script = await api.call('GET', '/docs/start.js');
  expect(script.headers.get('content-type')).toContain('javascript');
  expect(String(script.body)).toContain("url: '/openapi.json'");
});

test.each(['package.json', '..%2F..%2F..%2Fpackage.json', '%2e%2e', 'swagger-ui.js'])(
  '/docs/%s is not served',
  async (file) => {
    expect((await api.call('GET', `/docs/${file}`)).status).toBe(404);
  },
);
