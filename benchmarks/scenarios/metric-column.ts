import { number } from '../report/numbers.ts';
import type { TableColumns } from './scenario.ts';

/** A column that shows the median of a metric. */
export function metricColumn(head: string, metric: string, digits: number, unit: string): TableColumns['columns'][0] {
  return {
    head,
    cell: ({ summary }) => {
      const median = summary[metric]?.median;
      return median === undefined ? '–' : `${number(median, digits)} ${unit}`;
    },
  };
}
