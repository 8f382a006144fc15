import { number } from '../../report/numbers.ts';
import { shortRatio } from '../../report/ratio-words.ts';
import { metricColumn } from '../metric-column.ts';
import type { TableColumns } from '../scenario.ts';
import { ingestRate } from './metrics.ts';

/** The rate and what a webhook costs: the head of every comparison, with dashes where it was not measured. */
export const ingestTable: TableColumns = {
  always: true,
  columns: [
    { head: 'webhooks/s', cell: ({ summary }) => number(summary[ingestRate]?.median) },
    {
      head: 'ratio (bounds)',
      cell: ({ name }, { comparisons, control }) => {
        const ratio = comparisons.find(({ arm, metric }) => arm === name && metric === ingestRate);
        if (ratio) return shortRatio(ratio);
        return name === control ? 'control' : '–';
      },
    },
    metricColumn('p99 at half', 'ingest.halfP99Ms', 1, 'ms'),
    metricColumn('CPU/webhook', 'ingest.cpuUs', 0, 'µs'),
    metricColumn('WAL/webhook', 'ingest.walBytes', 0, 'B'),
  ],
};
