import {
  commandRoute,
  dataResponse,
  listResponse,
  type PathRegistration,
  readRoute,
  removeRoute,
} from '../openapi/describe.ts';
import {
  endpointExample,
  endpointExamples,
  newEndpointExample,
  notificationExample,
  preferencesExample,
  preferencesExamples,
  replayExamples,
} from './examples.ts';
import {
  endpoint,
  endpointBody,
  endpointParams,
  endpointsQuery,
  newEndpoint,
  notification,
  notificationParams,
  notificationsQuery,
  preferences,
  preferencesBody,
  replayBody,
  replayed,
} from './schemas.ts';

const tags = ['notifications'];

export const registerNotificationPaths: PathRegistration = (registry) => {
  registerPreferences(registry);
  registerNotifications(registry);
  registerEndpoints(registry);
};

const registerPreferences: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'getNotificationPreferences',
        path: '/api/v1/notifications/preferences',
        tags,
        summary: 'By which channels and in which language the user is told',
      },
      dataResponse('notification_preferences', preferences, 'The preferences.', 'read', preferencesExample),
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'changeNotificationPreferences',
        path: '/api/v1/notifications/preferences',
        tags,
        summary: 'Choose channels and language',
        description: 'What is left out stays. It counts for events from then on.',
        body: preferencesBody,
        examples: preferencesExamples,
      },
      { 200: dataResponse('notification_preferences', preferences, 'As they are now.', 'write', preferencesExample) },
    ),
  );
};

const registerNotifications: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'listNotifications',
        path: '/api/v1/notifications',
        tags,
        summary: 'Notifications and what became of them, the newest first',
        description: 'Those of status dead were given up, with the reason of the last try.',
        query: notificationsQuery,
      },
      listResponse('notification', notification, 'A page of notifications.', notificationExample),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'replayNotification',
        operatorsOnly: true,
        path: '/api/v1/notifications/{id}/replay',
        tags,
        summary: 'Send a dead letter again',
        description: 'With its former id, by which a receiver recognises what it has got already.',
        params: notificationParams,
        body: replayBody,
        bodyRequired: false,
        examples: replayExamples,
      },
      {
        200: dataResponse('notification_replay', replayed, 'It is sent soon.', 'write', {
          notification_id: notificationExample.notification_id,
          replayed: true,
        }),
      },
      'not_found',
    ),
  );
};

const registerEndpoints: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'listWebhookEndpoints',
        path: '/api/v1/webhook-endpoints',
        tags,
        summary: 'Endpoints that are told by webhook',
        query: endpointsQuery,
      },
      listResponse('webhook_endpoint', endpoint, 'A page of endpoints.', endpointExample),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'addWebhookEndpoint',
        path: '/api/v1/webhook-endpoints',
        tags,
        summary: 'Be told by webhook',
        description:
          'Requests are signed by the scheme of Standard Webhooks, with the secret of this answer. What is not answered ' +
          '2xx is sent again with growing pauses, under the same webhook-id; 410 ends it.',
        body: endpointBody,
        examples: endpointExamples,
      },
      { 201: dataResponse('webhook_endpoint', newEndpoint, 'The new endpoint.', 'write', newEndpointExample) },
      'forbidden',
      'too_many_endpoints',
    ),
  );
  registry.registerPath(
    removeRoute(
      {
        operationId: 'removeWebhookEndpoint',
        path: '/api/v1/webhook-endpoints/{id}',
        tags,
        summary: 'Be told no more',
        params: endpointParams,
      },
      dataResponse('webhook_endpoint', endpoint, 'The endpoint; it was disabled now or before.', 'write', {
        ...endpointExample,
        status: 'disabled',
      }),
      'not_found',
    ),
  );
};
