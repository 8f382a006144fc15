import { z } from 'zod';
import { identifier } from '../../kernel/contract/fields.ts';
import { pageCursor, pageLimit } from '../../kernel/http/page.ts';
import { timeOutput } from '../openapi/describe.ts';

const languages = ['en', 'de'] as const;
const channels = ['email', 'webhook'] as const;
const statuses = ['pending', 'sent', 'dead', 'expired', 'canceled'] as const;

export const preferencesBody = z.strictObject({
  language: z.enum(languages).optional(),
  email: z.boolean().optional().meta({ description: 'Whether mails are sent to the address of the account.' }),
  webhook: z.boolean().optional().meta({ description: 'Whether the user’s endpoints are told.' }),
});

export const preferences = z
  .object({
    user_id: z.string(),
    language: z.enum(languages),
    email: z.boolean(),
    webhook: z.boolean(),
    updated_at: timeOutput.nullable().meta({ description: 'Null where nothing was chosen yet.' }),
  })
  .meta({ id: 'NotificationPreferences' });

export const endpointBody = z.strictObject({
  url: z
    .string()
    .max(2_048)
    .regex(/^https?:\/\/[^\s\\^`{|}<>"]+$/, 'must be a URL that begins with https://')
    .meta({ description: 'https, with a public host. Redirects are not followed.' }),
  all_users: z.boolean().default(false).meta({ description: 'Events of every user; for operators.' }),
});

export const endpoint = z
  .object({
    endpoint_id: z.string(),
    user_id: z.string(),
    url: z.string(),
    all_users: z.boolean(),
    status: z.enum(['active', 'disabled']),
    created_at: timeOutput,
  })
  .meta({ id: 'WebhookEndpoint' });

export const newEndpoint = endpoint
  .extend({
    secret: z.string().meta({ description: 'For the signature of Standard Webhooks; told now and never again.' }),
  })
  .meta({ id: 'NewWebhookEndpoint' });

export const endpointParams = z.object({ id: identifier });
export const endpointsQuery = z.strictObject({
  user_id: identifier.optional(),
  limit: pageLimit(200, 50),
  cursor: pageCursor,
});

export const notificationParams = z.object({ id: z.uuid('must be a UUID') });
export const notificationsQuery = z.strictObject({
  user_id: identifier.optional(),
  status: z.enum(statuses).optional(),
  limit: pageLimit(200, 50),
  cursor: pageCursor,
});

export const notification = z
  .object({
    notification_id: z.string(),
    type: z.string().meta({ description: 'As in order.paid.' }),
    event_id: z.string(),
    user_id: z.string(),
    channel: z.enum(channels),
    recipient_id: z.string().meta({ description: 'The user, or the endpoint.' }),
    status: z.enum(statuses),
    attempts: z.int().meta({ description: 'Tries so far.' }),
    last_error: z.string().nullable(),
    occurred_at: timeOutput,
    created_at: timeOutput,
    finished_at: timeOutput.nullable(),
  })
  .meta({ id: 'Notification' });

/** There is nothing to choose. */
export const replayBody = z.strictObject({});

export const replayed = z.object({ notification_id: z.string(), replayed: z.literal(true) }).meta({ id: 'Replayed' });
