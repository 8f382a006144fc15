import { z } from 'zod';
import { anyEndpoint, errorResponses, listResponse, type PathRegistration, readHeaders } from '../openapi/describe.ts';
import { event, exportEventsQuery, listEventsQuery } from './schemas.ts';

const tags = ['events'];

export const registerEventPaths: PathRegistration = (registry) => {
  registry.registerPath({
    ...{ method: 'get', path: '/api/v1/events', tags, summary: 'Events of orders and disputes by time' },
    description: 'kind, order_ids and dispute_ids may be repeated. A time range lets the database skip partitions.',
    request: { query: listEventsQuery, headers: readHeaders },
    responses: {
      200: listResponse('event', event, 'A page of events.'),
      ...errorResponses(...anyEndpoint, 'invalid_cursor'),
    },
  });
  registry.registerPath({
    ...{ method: 'get', path: '/api/v1/events/export', tags, summary: 'All events that the filters let through' },
    description: 'One JSON document per line, as the database reads them. A body that is cut short is not complete.',
    request: { query: exportEventsQuery, headers: readHeaders },
    responses: {
      200: {
        description: 'Newline-delimited JSON; each line is an Event.',
        content: { 'application/x-ndjson': { schema: z.string() } },
      },
      ...errorResponses(...anyEndpoint),
    },
  });
};
