import { z } from 'zod';
import { dataResponse, type PathRegistration } from './describe.ts';

const tags = ['operations'];
const text = (description: string, mediaType: string) => ({
  200: { description, content: { [mediaType]: { schema: z.string() } } },
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
      }),
    ),
  })
  .meta({ id: 'Readiness' });

/** What every service of the lab answers, and this documentation. */
export const registerServicePaths: PathRegistration = (registry) => {
  registry.registerPath({
    method: 'get',
    path: '/health/live',
    tags,
    summary: 'Whether the process runs',
    responses: { 200: dataResponse('health', z.object({ status: z.literal('live') }), 'It runs.', 'other') },
  });
  registry.registerPath({
    method: 'get',
    path: '/health/ready',
    tags,
    summary: 'Whether the dependencies answer',
    responses: {
      200: dataResponse('health', readiness, 'All required dependencies answer.', 'other'),
      503: dataResponse('health', readiness, 'A required dependency does not answer.', 'other'),
    },
  });
  registry.registerPath({
    method: 'get',
    path: '/metrics',
    tags,
    summary: 'Metrics for Prometheus',
    responses: text('Prometheus text format.', 'text/plain'),
  });
  registry.registerPath({
    method: 'get',
    path: '/openapi.json',
    tags,
    summary: 'This document',
    responses: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: z.looseObject({}) } } } },
  });
  registry.registerPath({
    method: 'get',
    path: '/docs',
    tags,
    summary: 'This document, to read and to try',
    responses: text('A page that needs nothing from the internet.', 'text/html'),
  });
  registry.registerPath({
    method: 'get',
    path: '/docs/{file}',
    tags,
    summary: 'Parts of the documentation page',
    request: { params: z.object({ file: z.string() }) },
    responses: { 200: { description: 'A script, a style sheet or an image.' }, 404: { description: 'not_found' } },
  });
};
