import { expect, test } from 'vitest';
import type { OrderWebhook } from '../../../kernel/contract/webhooks.ts';
import { claimedOwners } from './sharded.ts';
import type { ShardedWebhook } from './sharded-webhook.ts';

function placed(orderId: string, shardUser: string, introduces: boolean): ShardedWebhook {
  const event: Partial<OrderWebhook> = { target: 'order', orderId, introduces };
  return { event, shardUser } as ShardedWebhook;
}

test('an order lies under the user who claimed it, and not under one whom an earlier event of it has named', () => {
  const batch = [placed('ord_1', 'user_1', true), placed('ord_1', 'user_2', false), placed('ord_2', 'user_3', false)];
  expect(claimedOwners(batch)).toEqual(new Map([['ord_1', 'user_1']]));
});
