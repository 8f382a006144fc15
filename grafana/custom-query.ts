import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** How the ClickHouse plugin hands a result to the panel: as series over time, or as the table that it is. */
export type ClickhouseResult = 'series' | 'table';

/**
 * A query of grafana-clickhouse-datasource 4, for which the Foundation SDK has no builder.
 * Source: https://github.com/grafana/clickhouse-datasource/tree/main/src/types
 */
export function clickhouseQuery(
  rawSql: string,
  result: ClickhouseResult,
  datasource: DataSourceRef,
): Builder<Dataquery> {
  const series = result === 'series';
  const query = { editorType: 'sql', queryType: series ? 'timeseries' : 'table', format: series ? 0 : 1, rawSql };
  return customQuery({ refId: 'A', datasource, ...query });
}

/** Annotations that Grafana stores itself and that carry the tag. */
export function taggedAnnotations(tag: string): Builder<Dataquery> {
  return customQuery({ limit: 100, matchAny: false, tags: [tag], type: 'tags' });
}

function customQuery(fields: object): Builder<Dataquery> {
  return { build: () => ({ ...fields, _implementsDataqueryVariant: () => {} }) };
}
