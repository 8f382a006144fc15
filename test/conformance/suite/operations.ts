import { expect, test } from 'vitest';
import { clientOf, type Target } from '../target.ts';

/** Health, metrics and the API's description of itself. */
export function operationsSuite(target: () => Target): void {
  const client = () => clientOf(target());

  test('live and ready, with each dependency', async () => {
    expect((await client().get('/health/live')).status).toBe(200);
    const ready = await client().get('/health/ready');
    expect(ready.body.data.status).toBe('ready');
    const names = ready.body.data.dependencies.map((dependency: { name: string }) => dependency.name);
    expect(names).toEqual(expect.arrayContaining(target().readsFromReplica ? ['postgres', 'replica-1'] : ['postgres']));
  });

  test('metrics carry the topology and count webhooks by verdict', async () => {
    await client().order();
    const { body: text } = await client().get('/metrics');
    const line = text.split('\n').find((one: string) => one.startsWith('webhooks_total') && one.includes('applied'));
    expect(line).toContain(`topology="${target().topology}"`);
    expect(line).toContain('provider="silvergate"');
    const series = text.split('\n').filter((one: string) => one !== '' && !one.startsWith('#'));
    expect(series.filter((one: string) => !one.includes(`topology="${target().topology}"`))).toEqual([]);
  });

  test('OpenAPI 3.1 describes every path of the contract', async () => {
    const { body } = await client().get('/openapi.json');
    expect(body.openapi).toMatch(/^3\.1\./);
    const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{id}')}`),
    );
    expect(described).toEqual(
      expect.arrayContaining([
        'POST /webhooks/payments/orders',
        'POST /webhooks/payments/chargebacks',
        'POST /webhooks/stripe',
        'POST /webhooks/adyen',
        'GET /api/v1/orders',
        'GET /api/v1/orders/{id}',
        'GET /api/v1/orders/{id}/events',
        'POST /api/v1/orders/{id}/hold',
        'POST /api/v1/orders/{id}/capture',
        'GET /api/v1/disputes',
        'GET /api/v1/disputes/{id}',
        'GET /api/v1/disputes/{id}/evidence',
        'POST /api/v1/disputes/{id}/evidence',
        'POST /api/v1/disputes/{id}/submit',
        'GET /api/v1/events',
        'GET /api/v1/events/export',
        'GET /health/live',
        'GET /health/ready',
      ]),
    );
  });

  test('the docs page loads nothing from elsewhere', async () => {
    const { status, body: html } = await client().get('/docs');
    const page = status === 200 ? html : (await client().get('/docs/')).body;
    expect(page).toContain('<html');
    expect([...page.matchAll(/(?:src|href)="(https?:)?\/\/[^"]+"/g)]).toEqual([]);
    const assets = [...page.matchAll(/(?:src|href)="([^"#]+\.(?:js|css))"/g)].map((match) => match[1]);
    expect(assets.length).toBeGreaterThan(0);
    for (const asset of assets) {
      const url = new URL(asset, `${target().apiUrl}/docs/`);
      expect((await client().get(url.pathname)).status, asset).toBe(200);
    }
  });
}
