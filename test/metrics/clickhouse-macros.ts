/** The time range of a dashboard and the width of its points. */
export interface Range {
  from: Date;
  to: Date;
  intervalSeconds: number;
}

/**
 * What grafana-clickhouse-datasource makes of its macros before it sends a query; those that the lab uses.
 * Source: https://github.com/grafana/clickhouse-datasource/blob/main/pkg/macros/macros.go
 * @throws Error for a macro that is not among them
 */
export function expandMacros(sql: string, { from, to, intervalSeconds }: Range): string {
  const seconds = (date: Date): string => `toDateTime(${Math.floor(date.getTime() / 1000)})`;
  const expanded = sql
    .replaceAll(
      /\$__timeFilter\((\w+)\)/g,
      (_all, column) => `${column} >= ${seconds(from)} AND ${column} <= ${seconds(to)}`,
    )
    .replaceAll(
      /\$__timeInterval\((\w+)\)/g,
      (_all, column) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${intervalSeconds} second)`,
    )
    .replaceAll(/\$__fromTime\b/g, seconds(from))
    .replaceAll(/\$__toTime\b/g, seconds(to));
  const unknown = /\$\w+/.exec(expanded)?.[0];
  if (unknown) throw new Error(`The ClickHouse plugin does not know ${unknown}.`);
  return expanded;
}
