import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  type DataSourceRef,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder as PrometheusQuery, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as LinesPanel } from '@grafana/grafana-foundation-sdk/timeseries';
import { type ClickhouseResult, clickhouseQuery } from './custom-query.ts';

/** By these ids `grafana/provisioning/datasources` makes the data sources. */
export const prometheusSource: DataSourceRef = { type: 'prometheus', uid: 'prometheus' };
const clickhouseSource: DataSourceRef = { type: 'grafana-clickhouse-datasource', uid: 'clickhouse' };

/** Grafana's ids of units that the dashboards use. */
export type Unit =
  | 's'
  | 'bytes'
  | 'Bps'
  | 'ops'
  | 'reqps'
  | 'percentunit'
  | 'short'
  | 'none'
  | 'bool'
  | 'dateTimeFromNow';

/** A width in Grafana's grid of 24 columns and a height in its rows of 30 pixels. */
const sizes = { number: [4, 4], third: [8, 4], half: [12, 8], full: [24, 8] } as const;

/** PromQL, and what the legend says of each series: `{{label}}`. */
export interface Series {
  expression: string;
  legend: string;
}

interface PanelText {
  title: string;
  /** What the panel answers, and what to do when it looks bad; shown behind the panel's `i`. */
  description: string;
  unit: Unit;
}

interface Scale {
  /** Values from which the panel turns to a warning and to an alarm. */
  warnAt?: number;
  alarmAt?: number;
}

/** Values over time. */
export function lines(
  text: PanelText & Scale & { stacked?: boolean; size?: keyof typeof sizes; series: Series[] },
): LinesPanel {
  const panel = overTime(text).datasource(prometheusSource);
  for (const { expression, legend } of text.series) panel.withTarget(promql(expression, legend).range());
  return panel;
}

/** One number, or one per series, as of now. */
export function number(text: PanelText & Scale & { series: Series[]; size?: keyof typeof sizes }): StatPanel {
  const panel = newest(text).datasource(prometheusSource);
  for (const { expression, legend } of text.series) panel.withTarget(promql(expression, legend).instant());
  return panel;
}

/** A table of a query's newest values, one row per series. */
export function rows(text: PanelText & { expression: string; size?: keyof typeof sizes }): TablePanel {
  const [width, height] = sizes[text.size ?? 'half'];
  return new TablePanel()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .span(width)
    .height(height)
    .datasource(prometheusSource)
    .withTarget(promql(text.expression, '').instant().format(PromQueryFormat.Table))
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true, __name__: true, instance: true, job: true, server: true } },
    });
}

/** Values over time from ClickHouse: the query yields `time`, then a label, then a number, ordered by time. */
export function clickhouseLines(text: PanelText & { sql: string; stacked?: boolean; size?: keyof typeof sizes }) {
  return overTime(text).datasource(clickhouseSource).withTarget(sql(text.sql, 'series'));
}

export function clickhouseNumber(text: PanelText & Scale & { sql: string; size?: keyof typeof sizes }) {
  return newest(text).datasource(clickhouseSource).withTarget(sql(text.sql, 'table'));
}

export function clickhouseRows(text: PanelText & { sql: string; size?: keyof typeof sizes }): TablePanel {
  const [width, height] = sizes[text.size ?? 'half'];
  return new TablePanel()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .span(width)
    .height(height)
    .datasource(clickhouseSource)
    .withTarget(sql(text.sql, 'table'));
}

function promql(expression: string, legend: string): PrometheusQuery {
  return new PrometheusQuery().expr(expression).legendFormat(legend).datasource(prometheusSource);
}

function sql(text: string, result: ClickhouseResult): Builder<Dataquery> {
  return clickhouseQuery(text.trim(), result, clickhouseSource);
}

function overTime(text: PanelText & Scale & { stacked?: boolean; size?: keyof typeof sizes }): LinesPanel {
  const [width, height] = sizes[text.size ?? 'half'];
  const panel = new LinesPanel()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .min(0)
    .span(width)
    .height(height)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(2)
    .fillOpacity(text.stacked ? 40 : 0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (text.stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return panel.thresholds(thresholds(text));
}

function newest(text: PanelText & Scale & { size?: keyof typeof sizes }): StatPanel {
  const [width, height] = sizes[text.size ?? 'number'];
  return new StatPanel()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .span(width)
    .height(height)
    .noValue('–')
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(thresholds(text));
}

/** Blue, orange and red: told apart by colour-blind readers, unlike green and red. */
function thresholds({ warnAt, alarmAt }: Scale): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([
      { value: null, color: 'blue' },
      ...(warnAt === undefined ? [] : [{ value: warnAt, color: 'orange' }]),
      ...(alarmAt === undefined ? [] : [{ value: alarmAt, color: 'red' }]),
    ]);
}
