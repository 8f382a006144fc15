import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { taggedAnnotations } from './custom-query.ts';
import { prometheusSource } from './panels.ts';

/** Tag of every dashboard of the lab: the links at the top of a page lead to all that carry it. */
const tag = 'payments-lab';
/** Tag of the annotations that `lab annotate` writes. */
export const benchmarkTag = 'payments-lab-benchmark';

/** A dashboard with what all have in common: refreshing, links to the others, and marks where benchmarks ran. */
export function page(options: { uid: string; title: string; description: string }): DashboardBuilder {
  return (
    new DashboardBuilder(options.title)
      .uid(options.uid)
      .description(options.description)
      .tags([tag])
      .timezone('browser')
      .time({ from: 'now-30m', to: 'now' })
      .refresh('10s')
      // The committed file is the truth: what an operator changes in the browser would be lost at the next start.
      .readonly()
      .tooltip(DashboardCursorSync.Crosshair)
      .link(
        new DashboardLinkBuilder('Dashboards')
          .type(DashboardLinkType.Dashboards)
          .tags([tag])
          .asDropdown(true)
          .keepTime(true)
          .includeVars(true),
      )
      .annotation(
        new AnnotationQueryBuilder()
          .name('Benchmark runs')
          .datasource({ type: 'grafana', uid: '-- Grafana --' })
          .enable(true)
          .iconColor('purple')
          .target(taggedAnnotations(benchmarkTag)),
      )
  );
}

/** A choice of topologies at the top of the page, for expressions with `topology=~"$topology"`. */
export function topologyVariable(): QueryVariableBuilder {
  return labelVariable('topology', 'Topology', 'label_values(process_start_time_seconds, topology)');
}

/** A choice among the values of a label. */
export function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheusSource)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+');
}
