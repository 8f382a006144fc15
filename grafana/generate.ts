import { writeFile } from 'node:fs/promises';
import { dashboard as business } from './dashboards/business.ts';
import { dashboard as money } from './dashboards/money.ts';
import { dashboard as pipeline } from './dashboards/pipeline.ts';
import { dashboard as postgres } from './dashboards/postgres.ts';
import { dashboard as serviceHealth } from './dashboards/service-health.ts';
import { dashboard as topologyComparison } from './dashboards/topology-comparison.ts';

const sources = {
  'topology-comparison': topologyComparison,
  'service-health': serviceHealth,
  postgres,
  pipeline,
  business,
  money,
};

export type DashboardName = keyof typeof sources;
export const dashboardNames = Object.keys(sources) as DashboardName[];

/** Where Grafana reads the dashboard. */
export function fileOf(name: DashboardName): URL {
  return new URL(`./dashboards/${name}.json`, import.meta.url);
}

/** The content of that file. */
export function render(name: DashboardName): string {
  const model = sources[name].build();
  // Panels need ids for links to them; the position of a panel is as good as any.
  const panels = model.panels?.map((panel, index) => ({ ...panel, id: index + 1 }));
  return `${JSON.stringify({ ...model, id: null, panels }, null, 2)}\n`;
}

if (import.meta.main) for (const name of dashboardNames) await writeFile(fileOf(name), render(name));
