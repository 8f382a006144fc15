import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { UsageError } from '../runtime/usage-error.ts';

/** A shard of `orders`, standing for those of all tables that lie beside it and move with it. */
export interface Shard {
  shardId: string;
  /** The hashes of its users, both included. */
  minHash: number;
  maxHash: number;
  /** As in `127.0.0.1:5432`. */
  node: string;
  /** Of all tables beside it. */
  bytes: number;
  orders: number;
}

export interface Skew {
  /** Workers without a shard are among them. */
  nodes: { node: string; shards: number; bytes: number; orders: number }[];
  /** Orders of the fullest shard divided by the mean: 1 is even. */
  shardRatio: number;
  nodeRatio: number;
  /** Those with the most deliveries. A user can't be split: the largest one is the smallest possible shard. */
  topUsers: { userId: string; deliveries: number; share: number }[];
}

/** The shards in the order of their hashes. @throws Error of the server where nothing is distributed. */
export async function listShards(client: Client): Promise<Shard[]> {
  const counted = await client.query<{ shardId: string; orders: string }>(await sql('count_orders'));
  const orders = new Map(counted.rows.map((row) => [row.shardId, Number(row.orders)]));
  const { rows } = await client.query<Omit<Shard, 'bytes' | 'orders'> & { bytes: string }>(await sql('list_shards'));
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes), orders: orders.get(row.shardId) ?? 0 }));
}

/** The nodes that a shard can be moved to, as in `127.0.0.1:5432`. */
export async function listNodes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ node: string }>(await sql('list_nodes'));
  return rows.map((row) => row.node);
}

/** @throws UsageError that names the nodes where a shard can't be moved there. */
export async function checkNode(client: Client, to: string): Promise<void> {
  const nodes = await listNodes(client);
  if (!nodes.includes(to)) throw new UsageError(`There is no worker ${to}. Choose one of ${nodes.join(', ')}.`);
}

/** How evenly the rows lie. */
export async function readSkew(client: Client, shards: readonly Shard[]): Promise<Skew> {
  const names = new Set([...(await listNodes(client)), ...shards.map((shard) => shard.node)]);
  const nodes = [...names].map((node) => {
    const own = shards.filter((shard) => shard.node === node);
    return {
      node,
      shards: own.length,
      bytes: own.reduce((sum, shard) => sum + shard.bytes, 0),
      orders: own.reduce((sum, shard) => sum + shard.orders, 0),
    };
  });
  const { rows } = await client.query<{ userId: string; deliveries: string }>(await sql('top_users'));
  const all = await client.query<{ count: string }>('select count(*)::text as count from webhook_deliveries');
  const total = Math.max(1, Number(all.rows[0]!.count));
  return {
    nodes: nodes.sort((a, b) => (a.node < b.node ? -1 : 1)),
    shardRatio: ratio(shards.map((shard) => shard.orders)),
    nodeRatio: ratio(nodes.map((node) => node.orders)),
    topUsers: rows.map((row) => ({
      userId: row.userId,
      deliveries: Number(row.deliveries),
      share: Number(row.deliveries) / total,
    })),
  };
}

function ratio(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length);
  return mean === 0 ? 1 : Math.max(...counts) / mean;
}

/**
 * Moves a shard, with those beside it, to another node while it is written to: it is copied by logical replication, and
 * writes wait only for the last step. @throws Error of the server.
 */
export async function moveShard(client: Client, shardId: string, to: string): Promise<void> {
  const shard = (await listShards(client)).find((one) => one.shardId === shardId);
  if (!shard) throw new Error(`There is no shard ${shardId} of orders. See: lab shards list`);
  const [from, target] = [addressOf(shard.node), addressOf(to)];
  await client.query(`select citus_move_shard_placement($1, $2, $3, $4, $5, shard_transfer_mode => 'force_logical')`, [
    shardId,
    from.host,
    from.port,
    target.host,
    target.port,
  ]);
}

/** Moves shards until each node has as many. @returns the moves that were made. */
export async function rebalance(client: Client): Promise<{ shardId: string; from: string; to: string }[]> {
  const before = await listShards(client);
  await client.query("select rebalance_table_shards('orders', shard_transfer_mode => 'force_logical')");
  const after = new Map((await listShards(client)).map((shard) => [shard.shardId, shard.node]));
  return before.flatMap(({ shardId, node }) => {
    const to = after.get(shardId);
    return to === undefined || to === node ? [] : [{ shardId, from: node, to }];
  });
}

/** Gives a user a shard of his own, in every table, and returns it. */
export async function isolateUser(client: Client, userId: string): Promise<string> {
  const { rows } = await client.query<{ shardId: string }>(
    `select isolate_tenant_to_new_shard('orders', $1::text, cascade_option => 'CASCADE', shard_transfer_mode => 'force_logical')::text as "shardId"`,
    [userId],
  );
  return rows[0]!.shardId;
}

function addressOf(node: string): { host: string; port: number } {
  const match = /^(.+):(\d+)$/.exec(node);
  if (!match) throw new Error(`A node is named like 127.0.0.1:5432, not ${node}.`);
  return { host: match[1]!, port: Number(match[2]) };
}

function sql(name: string): Promise<string> {
  return readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}
