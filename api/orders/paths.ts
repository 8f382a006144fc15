import { commandRoute, dataResponse, listResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import {
  captureExample,
  captureExamples,
  heldOrderExample,
  holdExamples,
  orderEventExample,
  orderExample,
  shownOrderExample,
} from './examples.ts';
import {
  capture,
  captureBody,
  holdBody,
  listOrdersQuery,
  order,
  orderEvent,
  orderEventsQuery,
  orderParams,
  orderWithAttempts,
} from './schemas.ts';

const tags = ['orders'];

export const registerOrderPaths: PathRegistration = (registry) => {
  registerReads(registry);
  registerHold(registry);
  registerCapture(registry);
};

const registerReads: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'listOrders',
        path: '/api/v1/orders',
        tags,
        summary: 'Orders, newest first',
        query: listOrdersQuery,
      },
      listResponse('order', order, 'A page of orders.', orderExample),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    readRoute(
      { operationId: 'getOrder', path: '/api/v1/orders/{id}', tags, summary: 'One order', params: orderParams },
      dataResponse('order', orderWithAttempts, 'The order.', 'read', shownOrderExample),
      'not_found',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'listOrderEvents',
        path: '/api/v1/orders/{id}/events',
        tags,
        summary: 'Events of an order by sequence',
        params: orderParams,
        query: orderEventsQuery,
      },
      listResponse('order_event', orderEvent, 'A page of events, the oldest first.', orderEventExample),
      'invalid_cursor',
      'not_found',
    ),
  );
};

const registerHold: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'changeHold',
        operatorsOnly: true,
        path: '/api/v1/orders/{id}/hold',
        tags,
        summary: 'Set or clear a hold',
        params: orderParams,
        body: holdBody,
        examples: holdExamples,
      },
      {
        200: dataResponse(
          'order',
          orderWithAttempts,
          'The order; setting the same hold again changes nothing.',
          'write',
          heldOrderExample,
        ),
      },
      'not_found',
      'order_final',
    ),
  );
};

const registerCapture: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'captureOrder',
        operatorsOnly: true,
        path: '/api/v1/orders/{id}/capture',
        tags,
        summary: 'Capture money at the provider',
        description:
          'A repetition with the same idempotency_key and body returns the outcome of the first request and never captures ' +
          'twice. After 503 provider_unavailable the outcome is unknown: repeat the request with the same key.',
        params: orderParams,
        body: captureBody,
        examples: captureExamples,
      },
      {
        200: dataResponse(
          'capture',
          capture,
          'The capture: completed, or failed because it was declined.',
          'write',
          captureExample,
        ),
      },
      'not_found',
      'order_on_hold',
      'order_final',
      'order_amount_unknown',
      'operation_in_progress',
      'idempotency_key_reused',
      'amount_not_capturable',
      'provider_unavailable',
    ),
  );
};
