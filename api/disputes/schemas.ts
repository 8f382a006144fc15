import { z } from 'zod';
import { identifier } from '../../kernel/contract/fields.ts';
import { disputeStatuses } from '../../kernel/contract/status.ts';
import { pageCursor, pageLimit } from '../../kernel/http/page.ts';
import { amountOutput, timeOutput } from '../openapi/describe.ts';
import { evidenceFields, evidenceFile, evidenceLimits } from './evidence-input.ts';

export const disputeParams = z.object({ id: identifier });

export const listDisputesQuery = z.strictObject({
  status: z.enum(disputeStatuses).optional(),
  order_id: identifier.optional(),
  user_id: identifier.optional(),
  sort: z.enum(['created_at', '-created_at']).default('-created_at'),
  limit: pageLimit(200, 50),
  cursor: pageCursor,
});
export type ListDisputesQuery = z.output<typeof listDisputesQuery>;

export const noQuery = z.strictObject({});

export const evidenceBody = z
  .strictObject({
    fields: evidenceFields.default({}),
    files: z.array(evidenceFile).max(evidenceLimits.filesPerRequest).default([]),
  })
  .refine((body) => Object.keys(body.fields).length + body.files.length > 0, 'send at least one field or file')
  .meta({
    description: 'At least one field or file.',
    anyOf: [
      { required: ['fields'], properties: { fields: { minProperties: 1 } } },
      { required: ['files'], properties: { files: { minItems: 1 } } },
    ],
  });
export type EvidenceBody = z.output<typeof evidenceBody>;

/** A submission takes what the dispute's evidence is; there is nothing to choose. */
export const submitBody = z.strictObject({});

export const dispute = z
  .object({
    dispute_id: z.string(),
    order_id: z.string(),
    user_id: z.string(),
    status: z.enum(disputeStatuses),
    reason: z.string(),
    amount_minor: amountOutput,
    currency: z.string(),
    charged_back_minor: amountOutput.meta({
      description: 'What the provider has taken from the merchant for it and not given back.',
    }),
    sequence: z.int().meta({ description: 'Number of the newest event.' }),
    provider: z.string(),
    provider_updated_at: timeOutput,
    opened_at: timeOutput,
    evidence_due_at: timeOutput.nullable(),
    submitted_at: timeOutput.nullable(),
    closed_at: timeOutput.nullable(),
    created_at: timeOutput,
    updated_at: timeOutput,
  })
  .meta({ id: 'Dispute' });

export const evidence = z
  .object({
    evidence_id: z.uuid(),
    dispute_id: z.string(),
    fields: z.record(z.string(), z.string()),
    files: z.array(
      z.object({
        file_id: z.uuid(),
        name: z.string(),
        content_type: z.string(),
        size_bytes: z.int(),
        sha256: z.string().meta({ description: 'Hexadecimal digest of the content.' }),
      }),
    ),
    created_at: timeOutput,
  })
  .meta({ id: 'Evidence' });
