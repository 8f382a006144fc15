import { z } from 'zod';
import { answerHeaders, listResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import { event, exportEventsQuery, listEventsQuery } from './schemas.ts';

const tags = ['events'];

const eventExample = {
  aggregate: 'order',
  event_id: '019c1373-a5dc-7000-8a5f-0c6d2f1e9b01',
  order_id: 'ord_1001',
  dispute_id: null,
  user_id: 'usr_7',
  sequence: 1,
  kind: 'webhook_received',
  provider: 'silvergate',
  provider_event_id: 'evt_1001',
  data: { status: 'created', amount_minor: 4_990, currency: 'EUR' },
  created_at: '2026-01-31T12:00:00.412Z',
};

export const registerEventPaths: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'listEvents',
        operatorsOnly: true,
        path: '/api/v1/events',
        tags,
        summary: 'Events of orders and disputes by time',
        description: 'kind, order_ids and dispute_ids may be repeated. A time range lets the database skip partitions.',
        query: listEventsQuery,
      },
      listResponse('event', event, 'A page of events.', eventExample),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'exportEvents',
        operatorsOnly: true,
        path: '/api/v1/events/export',
        tags,
        summary: 'All events that the filters let through',
        description:
          'One JSON document per line, as the database reads them. A body that is cut short is not complete.',
        query: exportEventsQuery,
      },
      {
        description: 'Newline-delimited JSON; each line is an Event.',
        content: { 'application/x-ndjson': { schema: z.string(), example: `${JSON.stringify(eventExample)}\n` } },
        headers: answerHeaders('read'),
      },
    ),
  );
};
