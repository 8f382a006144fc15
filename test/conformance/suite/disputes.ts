import { describe, expect, test } from 'vitest';
import { clientOf, providerTime, type Target, unique } from '../target.ts';

/** The dispute endpoints: reads, evidence, submission. */
export function disputeSuite(target: () => Target): void {
  const client = () => clientOf(target());

  async function newDispute(overrides: Record<string, unknown> = {}): Promise<{ orderId: string; disputeId: string }> {
    const orderId = unique('ord');
    const disputeId = unique('dp');
    await client().order({ order_id: orderId });
    const answer = await client().chargeback({ order_id: orderId, dispute_id: disputeId, ...overrides });
    expect([answer.status, answer.body.data.verdict]).toEqual([202, 'applied']);
    return { orderId, disputeId };
  }

  const evidence = { fields: { tracking_number: 'TRACK-1', carrier: 'post' } };

  test('a chargeback opens a dispute that is listed by order and by status', async () => {
    const { orderId, disputeId } = await newDispute({ reason: 'product_not_received' });
    expect(await client().settled(`/api/v1/disputes/${disputeId}`)).toMatchObject({
      dispute_id: disputeId,
      order_id: orderId,
      status: 'open',
      reason: 'product_not_received',
      amount_minor: 1999,
      sequence: 1,
    });
    const listed = await client().settled(`/api/v1/disputes?order_id=${orderId}&status=open`);
    expect(listed.map((dispute: { dispute_id: string }) => dispute.dispute_id)).toEqual([disputeId]);
    expect(await client().settled(`/api/v1/disputes?order_id=${orderId}&status=won`)).toEqual([]);
  });

  test('unknown disputes are 404, malformed ids and filters 400', async () => {
    const paths = [`/api/v1/disputes/${unique('dp')}`, '/api/v1/disputes/%20', '/api/v1/disputes?status=angry'];
    const answers = await Promise.all(paths.map((path) => client().get(path)));
    expect(answers.map((answer) => answer.status)).toEqual([404, 400, 400]);
  });

  describe('evidence', () => {
    test('is added and listed', async () => {
      const { disputeId } = await newDispute();
      const path = `/api/v1/disputes/${disputeId}/evidence`;
      const added = await client().post(path, evidence);
      expect(added.status).toBe(201);
      expect(await client().settled(path)).toMatchObject([{ dispute_id: disputeId, fields: evidence.fields }]);
      expect(await client().settled(`/api/v1/disputes/${disputeId}`)).toMatchObject({ sequence: 2 });
    });

    test('is refused when empty or for an unknown dispute', async () => {
      const { disputeId } = await newDispute();
      const empty = await client().post(`/api/v1/disputes/${disputeId}/evidence`, {});
      const unknown = await client().post(`/api/v1/disputes/${unique('dp')}/evidence`, evidence);
      expect([empty.status, unknown.status]).toEqual([400, 404]);
    });
  });

  describe('submission', () => {
    test('goes to the provider once: 202, then 409', async () => {
      const { disputeId } = await newDispute();
      await client().post(`/api/v1/disputes/${disputeId}/evidence`, evidence);
      const submitted = await client().post(`/api/v1/disputes/${disputeId}/submit`, {});
      expect(submitted.status).toBe(202);
      const again = await client().post(`/api/v1/disputes/${disputeId}/submit`, {});
      expect([again.status, again.body.error.code]).toEqual([409, 'already_submitted']);
      expect(await client().settled(`/api/v1/disputes/${disputeId}`)).toMatchObject({ status: 'submitted' });
    });

    test('is refused for a dispute that is decided', async () => {
      const { orderId, disputeId } = await newDispute({ occurred_at: providerTime(0) });
      await client().chargeback({
        order_id: orderId,
        dispute_id: disputeId,
        status: 'closed',
        meta: { outcome: 'lost' },
        occurred_at: providerTime(30),
      });
      expect(await client().settled(`/api/v1/disputes/${disputeId}`)).toMatchObject({ status: 'lost' });
      const late = await client().post(`/api/v1/disputes/${disputeId}/submit`, {});
      expect([late.status, late.body.error.code]).toEqual([409, 'dispute_final']);
    });
  });
}
