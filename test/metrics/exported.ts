import { readFile } from 'node:fs/promises';
import { Recorder } from '../../cdc/recorder.ts';
import { createMetrics } from '../../kernel/metrics.ts';

/** Names of series with the labels that each may carry. */
export type Exported = ReadonlyMap<string, ReadonlySet<string>>;

/** What Prometheus adds to every series of the lab's targets. */
const targetLabels = ['job', 'instance', 'topology'];

/** Everything that the services export, from the registries that they make at their start. */
export async function exportedByServices(): Promise<Exported> {
  const metrics = createMetrics({ service: 'cdc', topology: 'plain' });
  // Change data capture adds series of its own to the registry that all services have.
  new Recorder({ metrics, nowMs: () => 0, status: () => ({ state: 'streaming' }) });
  const series = new Map<string, Set<string>>();
  for (const { name, type } of await metrics.registry.getMetricsAsJSON()) {
    const { labelNames = [] } = metrics.registry.getSingleMetric(name) as { labelNames?: string[] };
    const labels = new Set([...labelNames, ...targetLabels, 'service']);
    if (String(type) !== 'histogram') series.set(name, labels);
    else {
      series.set(`${name}_bucket`, new Set([...labels, 'le']));
      for (const end of ['sum', 'count']) series.set(`${name}_${end}`, labels);
    }
  }
  return series;
}

/** As `metrics` prints them: series names with their labels. */
export function exportedByText(text: string): Map<string, Set<string>> {
  const series = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_:][\w:]*)(?:\{(.*)\})? /i.exec(line);
    if (!match) continue;
    const labels = series.get(match[1]!) ?? new Set(targetLabels);
    for (const [, label] of (match[2] ?? '').matchAll(/(\w+)="/g)) labels.add(label!);
    series.set(match[1]!, labels);
  }
  return series;
}

/** What postgres_exporter exported, when `exporter.int.test.ts` last asked one: `name{label,label}`, one a line. */
export async function exportedByExporter(): Promise<Exported> {
  const text = await readFile(exporterCatalogue, 'utf8');
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^(\w+)\{([\w,]*)\}$/.exec(line);
      return match ? [[match[1]!, new Set([...match[2]!.split(','), ...targetLabels])] as const] : [];
    }),
  );
}

const exporterCatalogue = new URL('../../grafana/prometheus/postgres-exporter-series.txt', import.meta.url);

/** What Prometheus makes itself for each target. */
export const madeByPrometheus: Exported = new Map([['up', new Set(targetLabels)]]);
