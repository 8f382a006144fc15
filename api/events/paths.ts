import { z } from 'zod';
import { listResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import { event, exportEventsQuery, listEventsQuery } from './schemas.ts';

const tags = ['events'];

export const registerEventPaths: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        path: '/api/v1/events',
        tags,
        summary: 'Events of orders and disputes by time',
        description: 'kind, order_ids and dispute_ids may be repeated. A time range lets the database skip partitions.',
        query: listEventsQuery,
      },
      listResponse('event', event, 'A page of events.'),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        path: '/api/v1/events/export',
        tags,
        summary: 'All events that the filters let through',
        description:
          'One JSON document per line, as the database reads them. A body that is cut short is not complete.',
        query: exportEventsQuery,
      },
      {
        description: 'Newline-delimited JSON; each line is an Event.',
        content: { 'application/x-ndjson': { schema: z.string() } },
      },
    ),
  );
};
