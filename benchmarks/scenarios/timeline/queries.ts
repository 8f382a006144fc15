import { escapeLiteral } from 'pg';
import { type DatasetSize, monthDays, monthStart } from './dataset.ts';
import { timelineSql } from './sql.ts';

export interface TimelineQuery {
  name: string;
  /** With its values put in, as an application would send it once the planner knows them. */
  text: string;
  /** Whether the planner may leave out partitions by the time range. */
  pruning: boolean;
  /** Whether it is also run on empty caches. */
  cold: boolean;
}

const dayMs = 86_400_000;

/** The questions of the scenario. The ranges lie in the middle of the month, where every day holds as many events. */
export async function timelineQueries(size: DatasetSize): Promise<TimelineQuery[]> {
  const evidence = await timelineSql('evidence_of_lost_fraud');
  const history = await timelineSql('history_of_one_dispute');
  const range = (from: number, days: number) => withValues(evidence, [dayOf(from), dayOf(from + days)]);
  return [
    { name: 'one day', text: range(14, 1), pruning: true, cold: false },
    { name: 'five days', text: range(12, 5), pruning: true, cold: true },
    { name: 'a month', text: range(0, monthDays), pruning: true, cold: false },
    { name: 'five days, pruning off', text: range(12, 5), pruning: false, cold: false },
    {
      name: 'one dispute’s history',
      text: withValues(history, [`d${Math.floor(size.disputes * 0.47)}`]),
      pruning: true,
      cold: false,
    },
  ];
}

function dayOf(day: number): string {
  return new Date(Date.parse(monthStart) + day * dayMs).toISOString();
}

/** `explain` takes no parameters, so the values are put into the text. */
function withValues(text: string, values: readonly string[]): string {
  return text.replace(/\$(\d)/g, (_match, number) => escapeLiteral(values[Number(number) - 1]!));
}
