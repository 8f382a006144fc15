import { z } from 'zod';
import { answerHeaders, dataResponse, type PathRegistration } from './describe.ts';
import { errorResponses } from './refusals.ts';

const text = (description: string, mediaType: string, example: string) => ({
  200: { description, content: { [mediaType]: { schema: z.string(), example } }, headers: answerHeaders('other') },
});

const readiness = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    dependencies: z.array(
      z.object({
        name: z.string(),
        required: z.boolean(),
        status: z.enum(['up', 'down']),
        latency_ms: z.int(),
        settings: z
          .record(z.string(), z.string())
          .optional()
          .meta({ description: 'What decides on durability, in the session that takes webhooks.' }),
      }),
    ),
  })
  .meta({ id: 'Readiness' });

const readinessExample = (status: 'up' | 'down') => ({
  status: status === 'up' ? 'ready' : 'not_ready',
  dependencies: [
    {
      name: 'postgres',
      required: true,
      status,
      latency_ms: 2,
      ...(status === 'up' && { settings: { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' } }),
    },
  ],
});

/** What every service of the lab answers, and this documentation. */
export const registerServicePaths: PathRegistration = (registry) => {
  registerHealth(registry);
  registerDocumentation(registry);
};

const common: { method: 'get'; tags: string[]; security: [] } = { method: 'get', tags: ['operations'], security: [] };

const registerHealth: PathRegistration = (registry) => {
  registry.registerPath({
    ...common,
    operationId: 'getLiveness',
    path: '/health/live',
    summary: 'Whether the process runs',
    responses: {
      200: dataResponse('health', z.object({ status: z.literal('live') }), 'It runs.', 'other', { status: 'live' }),
    },
  });
  registry.registerPath({
    ...common,
    operationId: 'getReadiness',
    path: '/health/ready',
    summary: 'Whether the dependencies answer',
    responses: {
      200: dataResponse('health', readiness, 'All required dependencies answer.', 'other', readinessExample('up')),
      503: dataResponse(
        'health',
        readiness,
        'A required dependency does not answer.',
        'other',
        readinessExample('down'),
      ),
    },
  });
  registry.registerPath({
    ...common,
    operationId: 'getMetrics',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    responses: text('Prometheus text format.', 'text/plain', 'process_cpu_seconds_total{service="api"} 1.5\n'),
  });
};

const registerDocumentation: PathRegistration = (registry) => {
  registry.registerPath({
    ...common,
    operationId: 'getOpenApi',
    path: '/openapi.json',
    summary: 'This document',
    responses: {
      200: {
        description: 'OpenAPI 3.1.',
        content: {
          'application/json': {
            schema: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
            example: { openapi: '3.1.0', info: { title: 'Payments scaling lab', version: '1' }, paths: {} },
          },
        },
        headers: answerHeaders('other'),
      },
    },
  });
  registry.registerPath({
    ...common,
    operationId: 'getDocs',
    path: '/docs',
    summary: 'This document, to read and to try',
    responses: text('A page that needs nothing from the internet.', 'text/html', '<!doctype html>'),
  });
  registry.registerPath({
    ...common,
    operationId: 'getDocsFile',
    path: '/docs/{file}',
    summary: 'Parts of the documentation page',
    request: { params: z.object({ file: z.string().meta({ examples: ['start.js'] }) }) },
    responses: {
      200: {
        description: 'A script, a style sheet or an image.',
        content: {
          'text/javascript': { schema: z.string(), example: 'window.ui = SwaggerUIBundle({});' },
          'text/css': { schema: z.string() },
          'image/png': { schema: z.string() },
        },
        headers: answerHeaders('other'),
      },
      ...errorResponses('not_found'),
    },
  });
};
