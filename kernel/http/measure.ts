import { type RequestHandler, Router } from 'express';
import type { Metrics } from '../metrics.ts';
import { methodNotAllowed } from './middleware.ts';

/** Times requests, labelled by the route's pattern and never by the path, which would make a series per order. */
export function measureRequests(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    response.once('finish', () => {
      const route = request.route ? `${request.baseUrl}${request.route.path}` : 'none';
      metrics.httpRequestDuration.observe(
        { method: request.method, route, status: response.statusCode },
        (performance.now() - started) / 1000,
      );
    });
    next();
  };
}

/** GET /metrics in Prometheus' text format. */
export function metricsRouter(metrics: Pick<Metrics, 'registry'>): Router {
  const router = Router();
  router
    .route('/metrics')
    .get(async (_request, response) => {
      response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
