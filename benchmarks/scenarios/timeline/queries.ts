import { type Client, escapeLiteral } from 'pg';
import { eventRange } from '../../../api/journal/event-time.ts';
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
export async function timelineQueries(client: Client, size: DatasetSize): Promise<TimelineQuery[]> {
  const evidence = await timelineSql('evidence_of_lost_fraud');
  const history = await timelineSql('history_of_one_dispute');
  const between = await timelineSql('history_between');
  const id = `d${Math.floor(size.disputes * 0.47)}`;
  const [from, to] = await timesOf(client, id);
  const range = (day: number, days: number) => withValues(evidence, [dayOf(day), dayOf(day + days)]);
  return [
    { name: 'one day', text: range(14, 1), pruning: true, cold: false },
    { name: 'five days', text: range(12, 5), pruning: true, cold: true },
    { name: 'a month', text: range(0, monthDays), pruning: true, cold: false },
    { name: 'five days, pruning off', text: range(12, 5), pruning: false, cold: false },
    { name: 'one dispute’s history', text: withValues(between, [id, from, to]), pruning: true, cold: false },
    { name: 'one dispute’s history, unbounded', text: withValues(history, [id]), pruning: true, cold: false },
  ];
}

/** Between which its events lie, by the dispute's own row. */
async function timesOf(client: Client, disputeId: string): Promise<[from: string, to: string]> {
  const { rows } = await client.query<{ created_at: Date; updated_at: Date }>(
    'select created_at, updated_at from disputes where dispute_id = $1',
    [disputeId],
  );
  const { from, to } = eventRange(rows[0]!);
  return [from.toISOString(), to.toISOString()];
}

function dayOf(day: number): string {
  return new Date(Date.parse(monthStart) + day * dayMs).toISOString();
}

/** `explain` takes no parameters, so the values are put into the text. */
function withValues(text: string, values: readonly string[]): string {
  return text.replace(/\$(\d)/g, (_match, number) => escapeLiteral(values[Number(number) - 1]!));
}
