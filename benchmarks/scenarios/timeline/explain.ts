import type { Client } from 'pg';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

interface Explained {
  Plan: PlanNode;
  'Planning Time': number;
  'Execution Time': number;
}

export interface QueryCost {
  executionMs: number;
  planningMs: number;
  pagesHit: number;
  pagesRead: number;
  rows: number;
  /** Relations whose name begins with `table` that the plan really scanned: the table itself or its partitions. */
  relations: number;
}

/** Runs a query and reads what it cost. The clock is not read for every row, which would slow the query itself. */
export async function costOf(client: Client, query: string, table: string): Promise<QueryCost> {
  const result = await client.query<{ 'QUERY PLAN': Explained[] }>(
    `explain (analyze, buffers, timing off, format json) ${query}`,
  );
  return readCost(result.rows[0]!['QUERY PLAN'][0]!, table);
}

/** Exported for its test. */
export function readCost(explained: Explained, table: string): QueryCost {
  const { Plan: plan } = explained;
  return {
    executionMs: explained['Execution Time'],
    planningMs: explained['Planning Time'],
    pagesHit: plan['Shared Hit Blocks'],
    pagesRead: plan['Shared Read Blocks'],
    rows: Math.round(plan['Actual Rows'] * plan['Actual Loops']),
    relations: scannedRelations(plan, table).size,
  };
}

function scannedRelations(node: PlanNode, table: string): Set<string> {
  const found = new Set<string>();
  const name = node['Relation Name'];
  if (name?.startsWith(table) && node['Actual Loops'] > 0) found.add(name);
  for (const child of node.Plans ?? []) for (const inner of scannedRelations(child, table)) found.add(inner);
  return found;
}

/** The plan as a reader knows it from psql, with what happened. */
export async function planText(client: Client, query: string): Promise<string> {
  const result = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers, timing off, summary off) ${query}`,
  );
  return result.rows.map((row) => row['QUERY PLAN']).join('\n');
}
