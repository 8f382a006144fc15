import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exportedByExporter, exportedByServices, exportedByText, madeByPrometheus } from '../test/metrics/exported.ts';
import { expressionsOf, parsePromql, readAlertRules, readDashboard, withoutVariables } from '../test/metrics/promql.ts';
import { dashboardNames, fileOf, render } from './generate.ts';
import { benchmarkTag } from './page.ts';

const dashboards = await Promise.all(dashboardNames.map((name) => readDashboard(fileOf(name))));
const alerts = await readAlertRules(new URL('./prometheus/rules/alerts.yml', import.meta.url));
const expressions = [
  ...dashboards.flatMap(expressionsOf),
  ...alerts.map(({ alert, expr }) => ({ where: `alert ${alert}`, text: expr })),
];

test.each(dashboardNames)('%s.json is what its source renders (npm run generate:dashboards)', async (name) => {
  expect(await readFile(fileOf(name), 'utf8')).toBe(render(name));
});

test('the dashboards that operators were promised are there', () => {
  expect(dashboards.map(({ title }) => title)).toEqual(
    expect.arrayContaining(['Topology comparison', 'Service health', 'Postgres', 'Pipeline', 'Business']),
  );
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
});

describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_title, dashboard) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  test('every panel has a title, an explanation and a query', () => {
    expect(panels.length).toBeGreaterThan(8);
    const bare = panels.filter((panel) => !panel.title || !panel.description || !panel.targets?.length);
    expect(bare).toEqual([]);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  test('no panel covers another', () => {
    const cells = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells, title).not.toContain(`${x},${y}`);
          cells.add(`${x},${y}`);
        }
      }
    }
  });

  test('every query asks a data source that is provisioned', async () => {
    const provisioned: { uid: string; type: string }[] = [];
    for (const name of ['prometheus', 'clickhouse']) {
      const file = new URL(`./provisioning/datasources/${name}.yml`, import.meta.url);
      provisioned.push(...parse(await readFile(file, 'utf8')).datasources);
    }
    const known = provisioned.map(({ uid, type }) => ({ uid, type }));
    for (const { targets } of panels) for (const { datasource } of targets!) expect(known).toContainEqual(datasource);
  });

  test('benchmarks are marked on it', () => {
    expect(dashboard.annotations.list.map(({ target }) => target.tags)).toContainEqual([benchmarkTag]);
  });

  test('Prometheus queries keep topologies apart', () => {
    const mixed = expressionsOf(dashboard).filter(({ text }) => !text.includes('topology'));
    expect(mixed).toEqual([]);
  });
});

describe('PromQL', async () => {
  const exported = new Map([...(await exportedByServices()), ...(await exportedByExporter()), ...madeByPrometheus]);

  test.each(expressions)('$where', ({ text }) => {
    const { metrics, labels, errors } = parsePromql(text);
    expect(errors).toEqual([]);
    expect(metrics.length).toBeGreaterThan(0);
    expect(metrics.filter((name) => !exported.has(name))).toEqual([]);
    const possible = new Set(metrics.flatMap((name) => [...exported.get(name)!]));
    expect(labels.filter((label) => !possible.has(label))).toEqual([]);
  });

  test('choices at the top of a page come from metrics that exist', () => {
    const queries = dashboards.flatMap(({ templating }) => (templating.list ?? []).map(({ query }) => query!));
    expect(queries.length).toBeGreaterThan(4);
    for (const query of queries) {
      const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query)!;
      expect(exported.get(metric!), query).toContain(label);
    }
  });

  test('what is wrong is found', () => {
    expect(parsePromql('sum by (topology) (rate(webhooks_total[1m])').errors).not.toEqual([]);
    expect(parsePromql('rate(webhooks_total{provider=~"$provider"}[$__interval])').errors).not.toEqual([]);
    expect(parsePromql('{job="api"}').errors).not.toEqual([]);
    expect(parsePromql('a_total / on (b) group_left (c) d{e="f"}')).toEqual({
      metrics: ['a_total', 'd'],
      labels: ['b', 'c', 'e'],
      errors: [],
    });
    expect(withoutVariables('rate(a{topology=~"$topology"}[$__rate_interval])')).toBe('rate(a{topology=~".+"}[1m])');
    expect(exportedByText('# TYPE a gauge\na{b="1",c="x y"} 2\nd 3\n').get('a')).toContain('c');
  });
});

test('every alert says how bad it is, what it means and what to do', () => {
  expect(alerts.length).toBeGreaterThan(8);
  for (const { alert, labels, annotations } of alerts) {
    expect(labels.severity, alert).toMatch(/^(warning|critical)$/);
    expect(annotations.summary, alert).toMatch(/\{\{ \$labels\.topology \}\}/);
    expect(annotations.description?.length, alert).toBeGreaterThan(30);
  }
});
